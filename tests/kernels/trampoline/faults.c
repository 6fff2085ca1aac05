/* In order: children run off their stacks, jump nowhere, and touch what is not theirs; the kernel ends them. */
#include "kernel.h"

#define KINDS 6

USER NOINLINE static long climb(long height)
{
	volatile long view[32];
	view[0] = height;
	return height < 0 ? 0 : climb(height + 1) + view[0];
}

/* No switch: its table would lie in the kernel. */
USER NOINLINE static void misbehave(volatile long kind)
{
	if (kind == 0)
		climb(0);
	if (kind == 1)
		((void (*)(void))0)();
	if (kind == 2)
		((void (*)(void))0xdeadbeef00UL)();
	if (kind == 3)
		(void)*(volatile long *)RAM_START;
	if (kind == 4)
		*(volatile long *)TRAMPOLINE = 0;
	__asm__ volatile(".half 0");
}

USER void user_main(long program)
{
	(void)program;
	for (long kind = 0; kind < KINDS; kind++) {
		if (call(CALL_FORK) == 0) {
			misbehave(kind);
			call(CALL_FINISH, 1);
		}
		call(CALL_WAIT);
	}
	long failed = call(CALL_WRITE, 0, 8) != -1;
	call(CALL_FINISH, failed);
}
