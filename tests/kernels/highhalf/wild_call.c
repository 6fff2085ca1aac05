/* Task 1 names a device with more letters than there is room for; task 2 calls what became of its operation. */
#include "kernel.h"

#define SYS_NAME 1
#define SYS_START 2
#define SYS_EXIT 93

#ifndef LETTER
#define LETTER 'a'
#endif

static struct device {
	char name[16];
	long (*volatile start)(void);
} device;

NOINLINE static long start_device(void)
{
	print("started\n");
	return 0;
}

void setup(void)
{
	uint64_t stack = frames_take(2);
	task_create(1, space_create_user(), stack, 2);
	task_create(2, space_create_user(), frames_take(2), 2);
	device.start = start_device;
	truth = (struct truth){ (uint64_t)linear(stack), (uint64_t)linear(stack) + 2 * PAGE,
				(uint64_t)&device.start - linear_offset, sizeof(device.start) };
}

NOINLINE static long name_device(uint64_t name, uint64_t length)
{
	for (uint64_t place = 0; place < length; place++)
		((volatile char *)device.name)[place] = ((volatile char *)name)[place];
	return 0;
}

NOINLINE static long call_device(void)
{
	long result = device.start();
	print("called\n");
	return result;
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_NAME:
		return name_device(frame->x[10], frame->x[11]);
	case SYS_START:
		return call_device();
	}
	task_exit();
	return 0;
}

USER void user_main(long task)
{
	volatile char name[32];
	for (int place = 0; place < 32; place++)
		name[place] = LETTER;
	if (task == 1)
		call(SYS_NAME, (long)name, 24);
	else
		call(SYS_START);
	call(SYS_EXIT);
}
