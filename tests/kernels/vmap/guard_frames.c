/*
 * Stacks whose guards have a frame each: of one the entry keeps the frame and is not valid, the other one is left
 * out of a row of frames that is mapped in one piece.
 */
#include "kernel.h"

#define PTE_KERNEL_DATA (PTE_V | PTE_R | PTE_W | PTE_AD)

extern uint64_t boot_root[];

static struct thread kept, left_out;

NOINLINE static int sum(int count)
{
	volatile int parts[600];
	for (int i = 0; i < count; i++)
		parts[i] = i;
	return parts[count - 1];
}

static void work(void)
{
	sum(600);
	yield();
	sum(600);
	thread_exit();
}

static void finish_work(void)
{
	finish(sum(600) == 599 ? "ok" : "miscounted");
}

/* Moves a stack that nothing runs on to frames in a row, below which others lie; returns its guard's frame. */
static uint64_t move(struct thread *thread, int below)
{
	uint64_t count = (thread->stack_top - thread->stack_base) / PAGE;
	uint64_t guard = frames_take(below + 1 + (int)count) + below * PAGE;
	memcpy(linear(guard + count * PAGE), (void *)(thread->stack_top - PAGE), PAGE);
	for (uint64_t page = 1; page <= count; page++)
		space_map((uint64_t)boot_root, thread->stack_base + (page - 1) * PAGE, guard + page * PAGE,
			  PTE_KERNEL_DATA);
	for (uint64_t page = 1; page <= (uint64_t)below; page++)
		space_map((uint64_t)boot_root, thread->stack_base - (page + 1) * PAGE, guard - page * PAGE,
			  PTE_KERNEL_DATA);
	return guard;
}

void setup(void)
{
	static struct thread last;
	thread_create(&kept, work, 2, 1);
	space_map((uint64_t)boot_root, kept.stack_base - PAGE, move(&kept, 0), PTE_KERNEL_DATA & ~PTE_V);
	thread_create(&left_out, work, 2, 4);
	thread_create(&last, finish_work, 2, 1);
	/* The victims of nothing: where the guards' frames are. */
	truth = (struct truth){ kept.stack_base, left_out.stack_base,
				PTE_PHYSICAL(*space_entry((uint64_t)boot_root, kept.stack_base - PAGE)),
				move(&left_out, 2) };
}
