/*
 * A task gives a buffer to the kernel, takes it back without saying so, and keeps a timeout there; the answer is
 * then written into it while another task's space is in use.
 */
#include "kernel.h"

#define SYS_LISTEN 63
#define SYS_SEND 64
#define SYS_EXIT 93
#define SYS_FUTEX 98
#define SYS_YIELD 124
#define LETTER (USER_DATA + 0x100)
#define TIMEOUT (USER_DATA + 0xe00)
#define TEXT 16

static char *listens_at;

void setup(void)
{
	for (long number = 1; number <= 2; number++) {
		uint64_t root = space_create_user();
		uint64_t data = frame_take_zeroed();
		uint64_t stack = frames_take(2);
		space_map(root, USER_DATA, data, PTE_USER_DATA);
		task_create(number, root, stack, 2);
		if (number == 1)
			truth.victim = data + TIMEOUT % PAGE;
		truth.stack_base = (uint64_t)linear(stack);
		truth.stack_top = truth.stack_base + 2 * PAGE;
	}
	truth.victim_size = TEXT;
}

static long sys_listen(uint64_t buffer)
{
	listens_at = linear(PTE_PHYSICAL(*space_entry(current()->root, buffer)) + buffer % PAGE);
	return 0;
}

NOINLINE static void deliver(const char *text)
{
	for (int place = 0; place < TEXT; place++)
		((volatile char *)listens_at)[place] = text[place];
}

static long sys_send(uint64_t from)
{
	char text[TEXT];
	copy_from_user(text, from, TEXT);
	deliver(text);
	return TEXT;
}

NOINLINE static long sys_futex(uint64_t timeout)
{
	struct timespec given;
	copy_from_user(&given, timeout, sizeof(given));
	return given.nanoseconds < 0 || given.nanoseconds >= 1000000000 ? -22 : 0;
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_LISTEN:
		return sys_listen(frame->x[10]);
	case SYS_SEND:
		return sys_send(frame->x[10]);
	case SYS_FUTEX:
		return sys_futex(frame->x[13]);
	case SYS_YIELD:
		yield();
		return 0;
	case SYS_EXIT:
		if (frame->x[11] == 1)
			finish(frame->x[10] ? "wait: invalid argument" : "waited");
		task_exit();
	}
	return -38;
}

USER void user_main(long task)
{
	volatile struct timespec *timeout = (volatile struct timespec *)TIMEOUT;
	volatile char *letter = (volatile char *)LETTER;
	long result = 0;
	if (task == 1) {
#ifdef OWN_BUFFER
		call(SYS_LISTEN, LETTER);
#else
		call(SYS_LISTEN, TIMEOUT);
#endif
		timeout->seconds = 0;
		timeout->nanoseconds = 5000;
		call(SYS_YIELD);
		result = call(SYS_FUTEX, USER_DATA, 0, 0, TIMEOUT);
	} else {
		for (int place = 0; place < TEXT; place++)
			letter[place] = (char)('a' + place);
		call(SYS_SEND, LETTER);
	}
	call(SYS_EXIT, result, task);
}
