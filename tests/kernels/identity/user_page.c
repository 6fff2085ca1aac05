/*
 * An interrupt comes when a call is nearly at the end of its stack: the registers are saved into the page
 * below, where another task keeps what it works on.
 */
#include "kernel.h"

#define SYS_READ 63
#define SYS_YIELD 124
#define SYS_EXIT 93
#define COUNTERS (USER_DATA + PAGE - 64)

static struct task reader, counter;

void setup(void)
{
	uint64_t counting = space_create_user();
	uint64_t data = frame_take_zeroed();
	uint64_t stack = frames_take(2);
	space_map(counting, USER_DATA, data, PTE_USER_DATA);
	task_create(&reader, 1, space_create_user(), stack + 2 * PAGE);
	task_create(&counter, 2, counting, frames_take(2) + 2 * PAGE);
	truth = (struct truth){ stack, stack + 2 * PAGE, data + COUNTERS % PAGE, 64 };
}

NOINLINE static uint64_t read_block(uint64_t block)
{
	uint64_t here;
	__asm__ volatile("mv %0, sp" : "=r"(here));
	volatile char content[here - (current->stack_top - 2 * PAGE) - 128];
	content[sizeof(content) - 1] = (char)block;
	interrupt_myself();
	return (uint64_t)content[sizeof(content) - 1];
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_READ:
		return (long)read_block(frame->x[10]);
	case SYS_YIELD:
		yield();
		return 0;
	case SYS_EXIT:
		if (current->number == 2)
			finish(frame->x[10] == 36 ? "counted" : "wrong count");
		task_exit();
	}
	return -1;
}

USER void user_main(long task)
{
	volatile unsigned long *counters = (volatile unsigned long *)COUNTERS;
	unsigned long sum = 0;
	if (task == 1)
		call(SYS_EXIT, call(SYS_READ, 9));
	for (unsigned long place = 0; place < 8; place++)
		counters[place] = place + 1;
	call(SYS_YIELD);
	for (int place = 0; place < 8; place++)
		sum += counters[place];
	call(SYS_EXIT, sum);
}
