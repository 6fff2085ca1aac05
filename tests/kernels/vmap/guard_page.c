/* A recursion without an end meets the unmapped page below its stack. */
#include "kernel.h"

static struct thread other, climber;

static void wait(void)
{
	yield();
	finish("nothing happened");
}

NOINLINE static uint64_t climb(uint64_t height)
{
	volatile uint64_t view[24];
	view[0] = height;
	return height == 1000 ? view[0] : climb(height + 1) + view[0];
}

static void start_climbing(void)
{
	climb(1);
	thread_exit();
}

void setup(void)
{
	thread_create(&other, wait, 2, 1);
	thread_create(&climber, start_climbing, 2, 1);
	truth = (struct truth){ climber.stack_base, climber.stack_top, 0, 0 };
}
