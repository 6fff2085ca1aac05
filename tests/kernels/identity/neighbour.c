/* A deep call of task 1 runs through its stack's end over the frames of task 2, which waits in a call. */
#include "kernel.h"

#define SYS_HASH 1
#define SYS_PAUSE 2
#define SYS_EXIT 93
#define LIVE_PART 512UL

static struct task hasher, sleeper;

void setup(void)
{
	uint64_t low = frames_take(1), high = frames_take(1);
	task_create(&hasher, 1, space_create_user(), high + PAGE);
	task_create(&sleeper, 2, space_create_user(), low + PAGE);
	truth = (struct truth){ high, high + PAGE, low + PAGE - LIVE_PART, LIVE_PART };
}

NOINLINE static uint64_t hash(uint64_t seed, int rounds)
{
	uint64_t state[20];
	for (int place = 0; place < 20; place++)
		((volatile uint64_t *)state)[place] = seed | 0xa5a5000000000000;
	return rounds ? hash(seed + 1, rounds - 1) ^ ((volatile uint64_t *)state)[3] : seed;
}

NOINLINE static long sys_pause(void)
{
	yield();
	print("sleeper goes on\n");
	return 0;
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_HASH:
		return (long)hash(frame->x[10], 26);
	case SYS_PAUSE:
		return sys_pause();
	}
	task_exit();
	return 0;
}

USER void user_main(long task)
{
	if (task == 1)
		call(SYS_HASH, 1234);
	else
		call(SYS_PAUSE);
	call(SYS_EXIT);
}
