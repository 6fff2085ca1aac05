/* Comes within 16 bytes of its stack's end, and goes back. */
#include "kernel.h"

#define LEFT 16UL

static struct thread diver;

NOINLINE static long dive(void)
{
	uint64_t here;
	__asm__ volatile("mv %0, sp" : "=r"(here));
	volatile char water[here - current_thread()->stack_base - LEFT];
	water[0] = 1;
	water[sizeof(water) - 1] = 2;
	return water[0] + water[sizeof(water) - 1];
}

static void start_diving(void)
{
	finish(dive() == 3 ? "ok" : "drowned");
}

void setup(void)
{
	thread_create(&diver, start_diving, 4, 1);
	truth = (struct truth){ diver.stack_base, diver.stack_top, 0, 0 };
}
