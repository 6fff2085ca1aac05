/*
 * A call gives back two of the caller's pages and forgets to unmap them. They become the next process'
 * registers and its page table; then a copy to the caller, through its old mapping, lands there.
 */
#include "kernel.h"

#define CALL_DROP CALL_OWN
#define CALL_FILL (CALL_OWN + 1)
#ifndef VICTIM
#define VICTIM 1 /* 0: the page table, 1: the registers */
#endif

NOINLINE static long drop(const struct process *process, uint64_t virtual)
{
	page_give(PTE_PHYSICAL(*entry_of(process->root, virtual, 0)));
	return 0;
}

NOINLINE static long fill(const struct process *process, uint64_t virtual)
{
	static char pattern[512];
	memset(pattern, 'A', sizeof(pattern));
	truth.stack_base = process->stack_base;
	truth.stack_top = process->stack_base + STACK_PAGES * PAGE;
	truth.victim = PTE_PHYSICAL(*entry_of(process->root, virtual, 0));
	truth.victim_size = PAGE;
	return copy_out(process->root, virtual, pattern, sizeof(pattern));
}

long own_call(long number, struct registers *registers)
{
	if (number == CALL_DROP)
		return drop(current(), registers->x[10]);
	return number == CALL_FILL ? fill(current(), registers->x[10]) : -1;
}

USER void user_main(long program)
{
	volatile long *data = (volatile long *)call(CALL_GROW, 2 * PAGE);
	data[0] = data[512] = program;
	call(CALL_DROP, (long)data);
	call(CALL_DROP, (long)&data[512]);
	if (call(CALL_FORK) == 0)
		call(CALL_EXIT, 0);
	call(CALL_FILL, (long)&data[512 * VICTIM]);
	call(CALL_WAIT);
	call(CALL_FINISH, 0);
}
