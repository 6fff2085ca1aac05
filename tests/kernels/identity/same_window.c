/*
 * Each address space has its task's kernel stack at the same virtual addresses, so that a switch of spaces alone is
 * one of stacks, and tasks that wait at the same depth have the same stack pointer. With PAGES_BELOW the page below
 * is mapped too: it is the data of another task.
 */
#include "kernel.h"

#define TASKS 3
#define ROUNDS 6
#ifndef PAGES_BELOW
#define PAGES_BELOW 0
#endif
#define DEPTH (PAGES_BELOW ? 60 : 4)
#define NOTES ((volatile long *)(USER_DATA + 0x800))
#define NOTES_COUNT 256
#define WINDOW 0x2000000000UL
#define STACK_PAGES 2
#define PTE_KERNEL_DATA (PTE_V | PTE_R | PTE_W | PTE_AD)
#define SYS_SUM 1
#define SYS_EXIT 2

#ifdef SPACE_LAST
__asm__(".text\n.globl switch_to\nswitch_to:\n"
	"sd ra, 24(a0); sd sp, 32(a0)\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11\n sd s\\n, 40+8*\\n(a0)\n.endr\n"
	"mv tp, a1; ld ra, 24(a1); ld sp, 32(a1)\n"
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11\n ld s\\n, 40+8*\\n(a1)\n.endr\n"
	"ld t0, 16(a1); csrw satp, t0; sfence.vma; ret");
#endif

static struct task tasks[TASKS];
static int left = TASKS;

void setup(void)
{
	uint64_t data[TASKS];
	for (int number = 0; number < TASKS; number++)
		data[number] = frame_take_zeroed();
	for (int number = 0; number < TASKS; number++) {
		struct task *task = &tasks[number];
		uint64_t root = space_create_user(), stack = frames_take(STACK_PAGES);
		space_map(root, USER_DATA, data[number], PTE_USER_DATA);
		for (int page = 0; page < STACK_PAGES; page++)
			space_map(root, WINDOW + page * PAGE, stack + page * PAGE, PTE_KERNEL_DATA);
		if (PAGES_BELOW)
			space_map(root, WINDOW - PAGE, data[(number + 1) % TASKS], PTE_KERNEL_DATA);
		task_create(task, number, root, stack + STACK_PAGES * PAGE);
		task->saved[1] += WINDOW - stack;
		task->stack_top = WINDOW + STACK_PAGES * PAGE;
	}
	truth = (struct truth){ WINDOW, WINDOW + STACK_PAGES * PAGE, data[1], PAGE };
	start_timer();
}

NOINLINE static long sum(long count, long seed)
{
	volatile long parts[16];
	for (int place = 0; place < 16; place++)
		parts[place] = seed + place;
	long below = count ? sum(count - 1, seed + 1) : 0;
	yield();
	long total = below;
	for (int place = 0; place < 16; place++)
		total += parts[place];
	return total;
}

long system_call(long number, struct frame *frame)
{
	if (number == SYS_SUM)
		return sum((long)frame->x[10], (long)frame->x[11]);
	if (frame->x[10])
		finish("wrong");
	if (!--left)
		finish("ok");
	task_exit();
	return 0;
}

USER void user_main(long task)
{
	for (int note = 0; note < NOTES_COUNT; note++)
		NOTES[note] = task;
	for (long round = 0; round < ROUNDS; round++) {
		long depth = (task + round) % 2 + (task == 0 ? DEPTH : 4);
		long seed = task * 1000 + round, expected = 0;
		for (long level = 0; level <= depth; level++)
			expected += 16 * (seed + level) + 120;
		long found = call(SYS_SUM, depth, seed);
		for (int note = 0; note < NOTES_COUNT; note++)
			found += NOTES[note] - task;
		if (found != expected)
			call(SYS_EXIT, 1);
	}
	call(SYS_EXIT, 0);
}
