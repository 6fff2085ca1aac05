/*
 * A call goes down DEPTH functions on its kernel stack while a child sleeps in the kernel, and comes back.
 * Too deep, it meets the unmapped page below the stack; without one (GUARD_PAGES=0) the child's kernel stack
 * lies there; below a stack in the direct map (DIRECT_STACKS) the process' registers, or its page table.
 */
#include "kernel.h"

#ifndef DEPTH
#define DEPTH 12
#endif

NOINLINE static uint64_t descend(uint64_t depth)
{
	volatile uint64_t room[24];
	for (int place = 0; place < 24; place++)
		room[place] = depth;
	return depth == 0 ? 0 : descend(depth - 1) + room[0];
}

static uint64_t page_below(const struct process *process)
{
#ifdef DIRECT_STACKS
	return process->stack_base - PAGE;
#else
	const uint64_t *entry = entry_of(kernel_root, process->stack_base - PAGE, 0);
	return entry ? PTE_PHYSICAL(*entry) : 0;
#endif
}

long own_call(long number, struct registers *registers)
{
	const struct process *process = current();
	(void)number;
	truth = (struct truth){ process->stack_base, process->stack_base + STACK_PAGES * PAGE,
				page_below(process), PAGE };
	return (long)descend(registers->x[10]);
}

USER void user_main(long program)
{
	(void)program;
	if (call(CALL_FORK) == 0) {
		call(CALL_PAUSE, 2);
		call(CALL_EXIT, 0);
	}
	call(CALL_PAUSE, 1);
	long sum = call(CALL_OWN, DEPTH);
	call(CALL_WAIT);
	call(CALL_FINISH, sum != DEPTH * (DEPTH + 1) / 2);
}
