/*
 * What a process still stands on is taken away when it ends: it gives back its own stack (GIVE_STACK), unmaps
 * it (UNMAP_STACK), or says too early that it has ended, and its parent on another hart frees it (EARLY_END).
 */
#include "kernel.h"

static void tell_stack(const struct process *process)
{
#ifdef DIRECT_STACKS
	uint64_t page = process->stack_base;
#else
	uint64_t page = PTE_PHYSICAL(*entry_of(kernel_root, process->stack_base, 0));
#endif
	truth = (struct truth){ process->stack_base, process->stack_base + STACK_PAGES * PAGE, page, PAGE };
}

NOINLINE static uint64_t account(const struct process *process)
{
	volatile uint64_t sums[8];
	for (uint64_t turn = 0; turn < 20000; turn++)
		sums[turn % 8] = (uint64_t)process->number + turn;
	return sums[3];
}

void before_end(void)
{
	struct process *process = current();
	tell_stack(process);
#if defined(GIVE_STACK)
	page_give(process->stack_base);
#elif defined(UNMAP_STACK)
	unmap(kernel_root, process->stack_base);
	__asm__ volatile("sfence.vma" ::: "memory");
#elif defined(EARLY_END)
	process->state = ENDED;
	wake(process->parent);
#endif
	process->status = (long)account(process);
}

USER void user_main(long program)
{
	(void)program;
	for (int turn = 0; turn < 2; turn++) {
		if (call(CALL_FORK) == 0)
			call(CALL_EXIT, 3);
		call(CALL_WAIT);
	}
	call(CALL_FINISH, 0);
}
