/*
 * In order: user code may touch all memory beyond the kernel's image, kernel stacks included, and does use
 * what the kernel keeps there.
 */
#include "kernel.h"

#define SYS_BUFFER 1
#define SYS_FILL 2
#define SYS_EXIT 93
#define LARGE_PAGE (512 * PAGE)

extern uint64_t boot_root[];

static struct task tasks[2];
static uint64_t buffer;

static void open_memory(uint64_t root)
{
	uint64_t *large = linear(frame_take_zeroed());
	for (uint64_t place = 0; place < 512; place++)
		large[place] = PTE_OF(RAM_START + place * LARGE_PAGE, PTE_USER_DATA);
	large[0] = PTE_OF(RAM_START, PTE_V | PTE_R | PTE_W | PTE_X | PTE_AD);
	((uint64_t *)root)[2] = PTE_OF(large, PTE_V);
}

void setup(void)
{
	frames_take(512);
	buffer = frame_take_zeroed();
	for (long number = 1; number <= 2; number++) {
		uint64_t root = space_create_user();
		open_memory(root);
		task_create(&tasks[number - 1], number, root, frames_take(2) + 2 * PAGE);
	}
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_BUFFER:
		return (long)buffer;
	case SYS_FILL:
		for (uint64_t place = 0; place < 64; place++)
			((volatile uint64_t *)buffer)[place] = frame->x[10] * place;
		yield();
		return 0;
	}
	if (frame->x[10])
		panic("task failed", frame->x[10]);
	if (current->number == 1)
		finish("ok");
	task_exit();
	return 0;
}

USER void user_main(long task)
{
	volatile long *shared = (volatile long *)call(SYS_BUFFER);
	long local[8];
	long wrong = 0;
	call(SYS_FILL, task);
	shared[0] = 0;
	for (int place = 1; place < 8; place++) {
		local[place] = shared[place];
		wrong |= local[place] % place;
	}
	call(SYS_EXIT, wrong);
}
