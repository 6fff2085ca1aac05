/*
 * In order: frames go from one owner to the next. The stack of task 1 becomes user pages of task 2, and these
 * the stack of task 3.
 */
#include "kernel.h"

#define SYS_GROW 214
#define SYS_SHRINK 215
#define SYS_EXIT 93

static uint64_t stacks[TASKS];

void setup(void)
{
	for (long number = 1; number <= 2; number++) {
		stacks[number] = frames_take(2);
		task_create(number, space_create_user(), stacks[number], 2);
	}
}

static void give_back_stacks_of_the_dead(void)
{
	for (long number = 1; number < TASKS; number++) {
		if (!stacks[number] || tasks[number].is_alive)
			continue;
		frame_give(stacks[number]);
		frame_give(stacks[number] + PAGE);
		stacks[number] = 0;
	}
}

static long sys_grow(void)
{
	give_back_stacks_of_the_dead();
	for (uint64_t page = 0; page < 2; page++)
		space_map(current()->root, USER_DATA + page * PAGE, frame_take_zeroed(), PTE_USER_DATA);
	return 0;
}

static long sys_shrink(void)
{
	uint64_t lowest = 0;
	for (uint64_t page = 0; page < 2; page++) {
		uint64_t *entry = space_entry(current()->root, USER_DATA + page * PAGE);
		uint64_t frame = PTE_PHYSICAL(*entry);
		*entry = 0;
		lowest = !lowest || frame < lowest ? frame : lowest;
		memset(linear(frame), 0, PAGE);
	}
	__asm__ volatile("sfence.vma" ::: "memory");
	stacks[3] = lowest;
	task_create(3, space_create_user(), lowest, 2);
	return 0;
}

NOINLINE static long use_some_stack(int depth)
{
	volatile long kept[32];
	for (int place = 0; place < 32; place++)
		kept[place] = depth;
	return depth ? use_some_stack(depth - 1) + kept[depth % 32] : kept[0];
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_GROW:
		return sys_grow();
	case SYS_SHRINK:
		return sys_shrink();
	case SYS_EXIT:
		if (use_some_stack(10) != 55 || frame->x[10])
			panic("task failed", frame->x[10]);
		if (current()->number == 3)
			finish("ok");
		task_exit();
	}
	return -1;
}

USER void user_main(long task)
{
	volatile long *grown = (volatile long *)USER_DATA;
	long wrong = 0;
	if (task == 2) {
		call(SYS_GROW);
		for (int place = 0; place < 1024; place++)
			wrong |= grown[place];
		for (int place = 0; place < 1024; place++)
			grown[place] = place;
		for (int place = 0; place < 1024; place++)
			wrong |= grown[place] != place;
		call(SYS_SHRINK);
	}
	call(SYS_EXIT, wrong);
}
