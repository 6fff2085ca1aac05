/*
 * A page of two tasks in one space is moved to another frame, and only the hart that does it forgets the old
 * translation: the other hart's kernel goes on reading the old frame. With SHOOT_DOWN it forgets it, too.
 */
#include "kernel.h"

#define SYS_MOVE 2
#define SYS_DONE 3
#define SYS_EXIT 93
#define SYS_SLEEP 101
#define SYS_WAIT_FOR_OTHER 260
#define REQUEST (USER_DATA + 0xf00)

static volatile int is_asked, is_done;

void setup(void)
{
	uint64_t root = space_create_user();
	uint64_t data = frame_take_zeroed();
	uint64_t other_stack = frame_take_zeroed();
	space_map(root, USER_DATA, data, PTE_USER_DATA);
	space_map(root, USER_STACK - PAGE, other_stack, PTE_USER_DATA);
	tasks[2].hart = 1;
	for (long number = 1; number <= 2; number++) {
		uint64_t stack = frames_take(2);
		task_create(number, root, stack, 2);
		truth.stack_base = (uint64_t)linear(stack);
		truth.stack_top = truth.stack_base + 2 * PAGE;
	}
	task_frame(&tasks[2])->x[2] = USER_STACK;
	truth.victim = data + REQUEST % PAGE;
	truth.victim_size = 16;
}

static long sys_move(void)
{
	while (!is_asked)
		let_others_run();
	uint64_t old = PTE_PHYSICAL(*space_entry(current()->root, USER_DATA)), moved = frame_take();
	memcpy(linear(moved), linear(old), PAGE);
	space_map(current()->root, USER_DATA, moved, PTE_USER_DATA);
	return 0;
}

NOINLINE static long sys_nanosleep(uint64_t request)
{
	struct timespec given;
	copy_from_user(&given, request, sizeof(given));
	return given.nanoseconds;
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_MOVE:
		return sys_move();
	case SYS_DONE:
		is_done = 1;
		return 0;
	case SYS_WAIT_FOR_OTHER:
		is_asked = 1;
		while (!is_done)
			let_others_run();
#ifdef SHOOT_DOWN
		__asm__ volatile("sfence.vma" ::: "memory");
#endif
		return 0;
	case SYS_SLEEP:
		return sys_nanosleep(frame->x[10]);
	case SYS_EXIT:
		if (current()->number == 1)
			finish(frame->x[10] == 500 ? "slept" : "slept too short");
		task_exit();
	}
	return -1;
}

USER void user_main(long task)
{
	volatile struct timespec *request = (volatile struct timespec *)REQUEST;
	if (task == 2) {
		call(SYS_MOVE);
		request->nanoseconds = 500;
		call(SYS_DONE);
		call(SYS_EXIT, 0);
	}
	request->seconds = 0;
	request->nanoseconds = 250;
	call(SYS_SLEEP, REQUEST);
	call(SYS_WAIT_FOR_OTHER);
	call(SYS_EXIT, call(SYS_SLEEP, REQUEST));
}
