/*
 * sscratch is set for the way back to the user while interrupts still come: the next one takes the kernel
 * for user code and saves registers at the top of the stack, over the frame that is still to be returned to.
 */
#include "kernel.h"

#define SYS_WORK 1
#define SYS_EXIT 93

static struct task worker;
static int asked, served;

void setup(void)
{
	uint64_t stack = frames_take(2);
	task_create(&worker, 1, space_create_user(), stack + 2 * PAGE);
	truth = (struct truth){ stack, stack + 2 * PAGE, stack + 2 * PAGE - 16, 16 };
}

NOINLINE static long sys_work(long amount)
{
	asked++;
	csr_write(sscratch, current);
	interrupt_myself();
	served++;
	if (served != asked)
		panic("work served without having been asked for", (uint64_t)served);
	return amount;
}

long system_call(long number, struct frame *frame)
{
	if (number == SYS_WORK)
		return sys_work((long)frame->x[10]);
	finish("worked");
}

USER void user_main(long task)
{
	call(SYS_WORK, task);
	call(SYS_EXIT);
}
