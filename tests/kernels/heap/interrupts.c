/* An interrupt's handler needs more than the interrupt stack has; below lies how deep interrupts are nested. */
#include "kernel.h"

extern char interrupt_stack[], interrupt_stack_top[];

static volatile int ticks;

NOINLINE static uint64_t average(int count)
{
	volatile uint64_t samples[20];
	for (int place = 0; place < 20; place++)
		samples[place] = (uint64_t)(count + place);
	return count ? average(count - 1) + samples[count % 20] : samples[0];
}

void tick(void)
{
	if (++ticks == 3)
		average(11);
}

static void work(void *argument)
{
	(void)argument;
	while (ticks < 6)
		yield();
	finish("worked");
}

void setup(void)
{
	truth = (struct truth){ (uint64_t)interrupt_stack, (uint64_t)interrupt_stack_top, (uint64_t)&running,
				16 };
	task_create("work", work, NULL, 1024);
}
