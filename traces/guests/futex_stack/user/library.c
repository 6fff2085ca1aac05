/* What programs have instead of a C library. */
#include "library.h"

static long system_call(long number, long a, long b, long c, long d)
{
	register long a0 __asm__("a0") = a;
	register long a1 __asm__("a1") = b;
	register long a2 __asm__("a2") = c;
	register long a3 __asm__("a3") = d;
	register long a7 __asm__("a7") = number;

	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
	return a0;
}

long open_file(const char *path)
{
	return system_call(SYS_OPENAT, -100, (long)path, 0, 0);
}

long close_file(long fd)
{
	return system_call(SYS_CLOSE, fd, 0, 0, 0);
}

long read_bytes(long fd, void *buffer, size_t size)
{
	return system_call(SYS_READ, fd, (long)buffer, (long)size, 0);
}

long read_bytes_at(long fd, long offset, void *buffer, size_t size)
{
	return system_call(SYS_PREAD64, fd, (long)buffer, (long)size, offset);
}

void print(const char *text)
{
	system_call(SYS_WRITE, CONSOLE, (long)text, (long)strlen(text), 0);
}

void print_number(long value)
{
	char digits[24];
	char *first = &digits[sizeof(digits) - 1];
	unsigned long rest = value < 0 ? -(unsigned long)value : (unsigned long)value;

	*first = '\0';
	do {
		*--first = (char)('0' + rest % 10);
		rest /= 10;
	} while (rest);
	if (value < 0)
		*--first = '-';
	print(first);
}

_Noreturn void exit_program(int status)
{
	for (;;)
		system_call(SYS_EXIT, status, 0, 0, 0);
}

_Noreturn void power_off(void)
{
	for (;;)
		system_call(SYS_REBOOT, 0, 0, 0, 0);
}

long read_file(const char *path, void *buffer, size_t size)
{
	long fd = open_file(path);
	long result;

	if (fd < 0)
		return fd;
	result = read_bytes(fd, buffer, size);
	close_file(fd);
	return result;
}

long fork_process(void)
{
	return system_call(SYS_CLONE, 0, 0, 0, 0);
}

/* The child has nothing on its stack to return to, so the call and the branch are one piece. */
long start_thread(void (*function)(void), void *stack_top)
{
	register long a0 __asm__("a0") = CLONE_VM;
	register void *a1 __asm__("a1") = stack_top;
	register long a7 __asm__("a7") = SYS_CLONE;
	register void (*s1)(void) __asm__("s1") = function;

	__asm__ volatile("ecall\n"
			 "bnez a0, 1f\n"
			 "jalr s1\n"
			 "li a0, 0\n"
			 "li a7, 93\n"
			 "ecall\n"
			 "1:"
			 : "+r"(a0)
			 : "r"(a1), "r"(a7), "r"(s1)
			 : "memory", "ra");
	return a0;
}

long execute(const char *path)
{
	return system_call(SYS_EXECVE, (long)path, 0, 0, 0);
}

long wait_child(long pid, int *status)
{
	int encoded = 0;
	long result = system_call(SYS_WAIT4, pid, (long)&encoded, 0, 0);

	*status = encoded >> 8 & 0xff;
	return result;
}

long futex_wait(const uint32_t *word, uint32_t expected, const struct timespec *timeout)
{
	return system_call(SYS_FUTEX, (long)word, FUTEX_WAIT, expected, (long)timeout);
}

long futex_wake(const uint32_t *word, long count)
{
	return system_call(SYS_FUTEX, (long)word, FUTEX_WAKE, count, 0);
}

long monotonic_milliseconds(void)
{
	struct timespec now = { 0, 0 };

	system_call(SYS_CLOCK_GETTIME, 1, (long)&now, 0, 0);
	return now.tv_sec * 1000 + now.tv_nsec / MILLISECOND;
}
