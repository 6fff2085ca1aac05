/*
 * Two clients ask a server for sums, in messages that the kernel copies from one thread's buffer page to the
 * other's. What a capability means is looked up step by step: with too many steps, which one client asks for
 * where BAD_STEPS says so, the kernel's stack runs down into the control blocks of threads.
 */
#include "kernel.h"

#define ROUNDS 10
#define STEPS 4
#ifndef BAD_STEPS
#define BAD_STEPS STEPS
#endif

void setup(void)
{
	for (long number = SERVER; number < THREADS; number++)
		thread_create(number);
	truth = (struct truth){ (uint64_t)kernel.stacks, (uint64_t)kernel.stacks[1],
				(uint64_t)&kernel.threads[THREADS - 1], sizeof(struct thread) };
}

NOINLINE static uint64_t walk(uint64_t capability, long steps)
{
	volatile uint64_t path[12];
	for (int place = 0; place < 12; place++)
		path[place] = capability ^ (uint64_t)(place * steps);
	return steps ? walk(capability, steps - 1) + path[steps % 12] - path[steps % 12] : path[0];
}

struct thread *look_up(uint64_t capability, long steps)
{
	return &kernel.threads[walk(capability, steps)];
}

USER static void serve_clients(void)
{
	volatile long *buffer = (volatile long *)BUFFER;
	long answer = 0, client = 0;
	for (;;) {
		client = call(CALL_REPLY_AND_RECEIVE, client, answer);
		answer = 0;
		for (int place = 0; place < BUFFER_WORDS; place++)
			answer += buffer[place];
	}
}

USER void user_main(long number)
{
	volatile long *buffer = (volatile long *)BUFFER;
	long wrong = 0;
	if (number == SERVER)
		serve_clients();
	for (long round = 0; round < ROUNDS; round++) {
		long steps = number == 2 && round == ROUNDS / 2 ? BAD_STEPS : STEPS;
		for (int place = 0; place < BUFFER_WORDS; place++)
			buffer[place] = round * number + place;
		wrong |= call(CALL_CALL, SERVER, 0, 0, steps) != 16 * round * number + 120;
	}
	call(CALL_EXIT, wrong);
}
