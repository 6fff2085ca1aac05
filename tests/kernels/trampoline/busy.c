/* In order: more processes than harts compute, are preempted, and end; then the first one waits for input. */
#include "kernel.h"

#define ROUNDS 6000
#define CHILDREN 4

static const char all_done[] __attribute__((section(".user.text"))) = "all done\n";

static const volatile char input;

NOINLINE static long wait_for_input(void)
{
	sleep(&input, NULL);
	return input;
}

long own_call(long number, struct registers *registers)
{
	(void)number, (void)registers;
	return wait_for_input();
}

USER NOINLINE static long compute(long seed)
{
	volatile long state = seed;
	for (int round = 0; round < ROUNDS; round++)
		state = state * 1103515245 + 12345;
	return state;
}

USER void user_main(long program)
{
	for (long child = 0; child < CHILDREN; child++) {
		if (call(CALL_FORK) == 0) {
			long failed = compute(child) != compute(child);
			call(CALL_PAUSE, 1);
			call(failed ? CALL_FINISH : CALL_EXIT, 1);
		}
	}
	while (call(CALL_WAIT) > 0)
		;
	call(CALL_WRITE, (long)all_done, sizeof(all_done) - 1);
	call(CALL_OWN + program);
}
