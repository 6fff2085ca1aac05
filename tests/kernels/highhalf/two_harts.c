/* A task on hart 1 runs below its stack into the data page of a task on hart 0. */
#include "kernel.h"

#define SYS_WAIT_FOR_OTHER 260
#define SYS_DIGEST 2
#define SYS_SLEEP 101
#define SYS_EXIT 93
#ifndef ROUNDS
#define ROUNDS 8
#endif
#define REQUEST (USER_DATA + 0xf00)

static volatile int request_is_set, digest_is_done;

void setup(void)
{
	uint64_t sleeper = space_create_user(), digester = space_create_user();
	uint64_t sleeper_stack = frames_take(2);
	uint64_t data = frame_take_zeroed();
	uint64_t digester_stack = frames_take(2);
	space_map(sleeper, USER_DATA, data, PTE_USER_DATA);
	tasks[2].hart = 1;
	task_create(1, sleeper, sleeper_stack, 2);
	task_create(2, digester, digester_stack, 2);
	truth = (struct truth){ (uint64_t)linear(digester_stack), (uint64_t)linear(digester_stack) + 2 * PAGE,
				data + REQUEST % PAGE, 16 };
}

NOINLINE static uint64_t digest(uint64_t seed, int rounds)
{
	volatile uint64_t state[120];
	for (int place = 0; place < 120; place++)
		state[place] = seed = seed * 6364136223846793005UL + 1;
	return rounds ? digest(seed, rounds - 1) ^ state[7] : seed;
}

NOINLINE static long sys_nanosleep(uint64_t request)
{
	struct timespec given;
	copy_from_user(&given, request, sizeof(given));
	return given.seconds == 1 && given.nanoseconds == 250 ? 0 : -22;
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_WAIT_FOR_OTHER:
		request_is_set = 1;
		while (!digest_is_done)
			let_others_run();
		return 0;
	case SYS_DIGEST:
		while (!request_is_set)
			let_others_run();
		digest(frame->x[10], ROUNDS);
		digest_is_done = 1;
		return 0;
	case SYS_SLEEP:
		return sys_nanosleep(frame->x[10]);
	case SYS_EXIT:
		if (current()->number == 1)
			finish(frame->x[10] ? "sleep: invalid argument" : "slept");
		task_exit();
	}
	return -1;
}

USER void user_main(long task)
{
	volatile struct timespec *request = (volatile struct timespec *)REQUEST;
	if (task == 2)
		call(SYS_EXIT, call(SYS_DIGEST, 77));
	request->seconds = 1;
	request->nanoseconds = 250;
	call(SYS_WAIT_FOR_OTHER);
	call(SYS_EXIT, call(SYS_SLEEP, REQUEST));
}
