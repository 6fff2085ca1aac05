/* A system call runs below its stack, into the page where the same task keeps the timeout of its next call. */
#include "kernel.h"

#ifndef LINKS
#define LINKS 18
#endif
#define SYS_OPEN 56
#define SYS_EXIT 93
#define SYS_FUTEX 98
#define TIMEOUT (USER_DATA + 0xe00)

void setup(void)
{
	uint64_t root = space_create_user();
	uint64_t data = frame_take_zeroed();
	uint64_t stack = frames_take(2);
	space_map(root, USER_DATA, data, PTE_USER_DATA);
	task_create(1, root, stack, 2);
	truth = (struct truth){ (uint64_t)linear(stack), (uint64_t)linear(stack) + 2 * PAGE,
				data + TIMEOUT % PAGE, 16 };
}

NOINLINE static long follow_link(const volatile char *path, int depth)
{
	volatile char target[512];
	for (int place = 0; place < 512; place++)
		target[place] = (char)(path[place % 16] + depth);
	return depth == LINKS ? target[0] : follow_link(target, depth + 1) + target[1];
}

NOINLINE static long sys_open(uint64_t path)
{
	char name[16];
	copy_from_user(name, path, sizeof(name));
	return follow_link(name, 1);
}

NOINLINE static long sys_futex(uint64_t timeout)
{
	struct timespec given;
#ifdef READ_LINEAR
	given = *(struct timespec *)linear(PTE_PHYSICAL(*space_entry(current()->root, timeout)) +
					   timeout % PAGE);
#else
	copy_from_user(&given, timeout, sizeof(given));
#endif
	return given.nanoseconds < 0 || given.nanoseconds >= 1000000000 ? -22 : 0;
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_OPEN:
		return sys_open(frame->x[10]);
	case SYS_FUTEX:
		return sys_futex(frame->x[13]);
	case SYS_EXIT:
		finish(frame->x[10] ? "smoke test failed: no banner" : "smoke test ok");
	}
	return -38;
}

USER void user_main(long task)
{
	volatile struct timespec *timeout = (volatile struct timespec *)TIMEOUT;
	volatile char *path = (volatile char *)USER_DATA;
	for (int place = 0; place < 16; place++)
		path[place] = (char)('a' + place + task);
	timeout->seconds = 0;
	timeout->nanoseconds = 5000;
	call(SYS_OPEN, USER_DATA);
	call(SYS_EXIT, call(SYS_FUTEX, USER_DATA, 0, 0, TIMEOUT));
}
