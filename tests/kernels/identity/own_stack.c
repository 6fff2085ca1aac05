/* In order: system calls run on the stack that the user was on; built with own_stack_trap.S. */
#include "kernel.h"

#define SYS_SUM 1
#define SYS_EXIT 93

static struct task tasks[2];

void setup(void)
{
	for (long number = 1; number <= 2; number++) {
		uint64_t root = space_create_user();
		uint64_t stack = PTE_PHYSICAL(*space_entry(root, USER_STACK));
		struct task *task = &tasks[number - 1];
		task_create(task, number, root, stack + PAGE);
		task->saved[1] += USER_STACK - stack;
	}
}

NOINLINE static long sum_and_yield(long last)
{
	volatile long parts[8];
	parts[last % 8] = last;
	if (last == 0)
		yield();
	return last ? parts[last % 8] + sum_and_yield(last - 1) : 0;
}

long system_call(long number, struct frame *frame)
{
	if (number == SYS_SUM)
		return sum_and_yield((long)frame->x[10]);
	if (frame->x[10])
		panic("task failed", frame->x[10]);
	if (current->number == 1)
		finish("ok");
	task_exit();
	return 0;
}

USER void user_main(long task)
{
	volatile long kept[16];
	long wrong = 0;
	for (long turn = 0; turn < 16; turn++) {
		kept[turn] = call(SYS_SUM, task + 8);
		wrong |= kept[turn] != (task + 8) * (task + 9) / 2;
	}
	call(SYS_EXIT, wrong);
}
