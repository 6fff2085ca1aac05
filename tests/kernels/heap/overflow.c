/*
 * A task goes deeper than its stack has room for, into the control block that lies below; the scheduler
 * finds that later. By default it is the block of the task that was created before, with BLOCK_BELOW_STACK
 * the task's own.
 */
#include "kernel.h"

#ifndef LEVELS
#define LEVELS 11
#endif

NOINLINE static uint64_t search(uint64_t key, int level)
{
	volatile uint64_t keys[8];
	for (int place = 0; place < 8; place++)
		keys[place] = key * 31 + (uint64_t)place;
	return level ? search(keys[7], level - 1) + keys[level % 8] : keys[0];
}

static void look_for_keys(void *argument)
{
	(void)argument;
	yield();
	search(1, LEVELS);
	for (int turn = 0; turn < 3; turn++)
		yield();
	finish("found");
}

static void wait(void *argument)
{
	(void)argument;
	for (;;)
		yield();
}

void setup(void)
{
	struct task *waiting = task_create("waiting", wait, NULL, 1024);
	struct task *searching = task_create("search", look_for_keys, NULL, 1024);
#ifdef BLOCK_BELOW_STACK
	waiting = searching;
#endif
	truth = (struct truth){ (uint64_t)searching->stack, (uint64_t)searching->stack + 1024,
				(uint64_t)waiting, sizeof(*waiting) };
}
