/*
 * In order: only the highest page of each stack is mapped at first, and the others when they are first
 * touched, by a fault's handler that runs on a stack of its own.
 */
#include "kernel.h"

#define MOST_PAGES 8
#define ROOM_LEFT 48UL

static struct thread divers[2];
static int faults, ended;

void handle_fault(uint64_t cause, uint64_t address, uint64_t pc)
{
	if (cause != CAUSE_STORE_PAGE_FAULT || address < divers[0].stack_top - MOST_PAGES * PAGE ||
	    address >= divers[1].stack_top)
		panic_on_trap(cause, pc, address);
	space_map((uint64_t)boot_root, address & -PAGE, frame_take_zeroed(), PTE_KERNEL_DATA);
	faults++;
}

/* Fills the stack to a little above the end of a page, and goes on from there. */
NOINLINE static long dive(int depth)
{
	uint64_t here;
	__asm__ volatile("mv %0, sp" : "=r"(here));
	volatile char water[here % PAGE + PAGE - ROOM_LEFT];
	water[0] = 1;
	water[sizeof(water) - 1] = 2;
	yield();
	return depth ? dive(depth - 1) : water[0] + water[sizeof(water) - 1];
}

static void start_diving(void)
{
	if (dive(0) != 3 || dive(1) != 3)
		finish("drowned");
	if (++ended == 2)
		finish(faults > 4 ? "ok" : "no page was missing");
	thread_exit();
}

void setup(void)
{
	for (int place = 0; place < 2; place++)
		thread_create(&divers[place], start_diving, 1, MOST_PAGES);
}
