/* Hangs: the receiver looks, gives way, and then waits for a wake-up that has already been and gone. */
#include "kernel.h"

#define SYS_SEND 1
#define SYS_RECEIVE 2

static volatile long letter, answer;

void setup(void)
{
	for (long number = 1; number <= 2; number++)
		task_create(number, space_create_user(), frames_take(2), 2);
}

NOINLINE static long sys_receive(void)
{
	if (!letter) {
		yield();
		wait_for(&letter);
	}
	answer = letter;
	wake(&answer);
	return answer;
}

NOINLINE static long sys_send(long value)
{
	letter = value;
	wake(&letter);
	print("sent\n");
	while (answer != value)
		wait_for(&answer);
	finish("answered");
}

long system_call(long number, struct frame *frame)
{
	return number == SYS_SEND ? sys_send((long)frame->x[10]) : sys_receive();
}

USER void user_main(long task)
{
	call(task == 1 ? SYS_RECEIVE : SYS_SEND, 42);
}
