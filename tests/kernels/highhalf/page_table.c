/* Task 1 runs below its stack into the page table of task 3, which faults when it runs again; task 2 does well. */
#include "kernel.h"

#define SYS_YIELD 124
#define SYS_SUM 1
#define SYS_EXIT 93

void setup(void)
{
	uint64_t first = space_create_user();
	uint64_t second = space_create_user();
	uint64_t other_stacks = frames_take(4);
	uint64_t third = space_create_user();
	uint64_t stack = frames_take(2);
	uint64_t entry = (uint64_t)space_entry(third, USER_STACK) - linear_offset;
	task_create(1, first, stack, 2);
	task_create(2, second, other_stacks, 2);
	task_create(3, third, other_stacks + 2 * PAGE, 2);
	truth = (struct truth){ (uint64_t)linear(stack), (uint64_t)linear(stack) + 2 * PAGE, entry, 8 };
}

NOINLINE static uint64_t sum_of_halves(uint64_t count, int depth)
{
	volatile uint64_t parts[48];
	for (int place = 0; place < 48; place++)
		parts[place] = (count ^ (uint64_t)place) * 2;
	return depth == 0 ? parts[0] : sum_of_halves(count / 2, depth - 1) + parts[47];
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_SUM:
		return (long)sum_of_halves(frame->x[10], 19);
	case SYS_YIELD:
		yield();
		return 0;
	case SYS_EXIT:
		print("task done\n");
		task_exit();
	}
	return -1;
}

USER void user_main(long task)
{
	volatile long total = task;
	for (int turn = 0; turn < 3; turn++) {
		if (task == 1 && turn == 1)
			total += call(SYS_SUM, 1 << 20);
		call(SYS_YIELD);
		total++;
	}
	call(SYS_EXIT, total);
}
