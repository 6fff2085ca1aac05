/* In order: the task lies at the bottom of its stack's pages, the trap frame at their top, and a timer preempts. */
#include "kernel.h"

#define SYS_SUM 1
#define SYS_EXIT 93

static int ended;

void setup(void)
{
	for (long number = 1; number <= 3; number++) {
		uint64_t stack = frames_take(2);
		task_create((struct task *)stack, number, space_create_user(), stack + 2 * PAGE);
	}
	start_timer();
}

NOINLINE static long sum_to(long last)
{
	volatile long parts[16];
	parts[last % 16] = last;
	return last ? parts[last % 16] + sum_to(last - 1) : 0;
}

long system_call(long number, struct frame *frame)
{
	if (number == SYS_SUM)
		return sum_to((long)frame->x[10]);
	if (frame->x[10])
		panic("task failed", frame->x[10]);
	if (++ended == 3)
		finish("ok");
	task_exit();
	return 0;
}

USER void user_main(long task)
{
	long wrong = 0;
	for (long turn = 0; turn < 20; turn++)
		wrong |= call(SYS_SUM, task + 20) != (task + 20) * (task + 21) / 2;
	call(SYS_EXIT, wrong);
}
