/*
 * In order: a program replaces itself by another one, which begins with registers that are zero; and each time the
 * other hart runs while the registers are restored for it (trap.S).
 */
#include "kernel.h"

#define SYS_EXEC 221
#define SYS_EXIT 93
#define SYS_WORK 2
#define PROGRAMS 5
#define STEPS 300

static volatile int is_done;

void setup(void)
{
	tasks[2].hart = 1;
	for (long number = 1; number <= 2; number++) {
		uint64_t root = space_create_user();
		task_create(number, root, frames_take(2), 2);
	}
}

NOINLINE static long sys_exec(struct frame *frame, uint64_t program)
{
	uint64_t status = frame->status;
	memset(frame, 0, sizeof(*frame));
	frame->epc = USER_TEXT;
	frame->status = status;
	frame->x[2] = USER_STACK + PAGE;
	return (long)program;
}

NOINLINE static long sys_work(void)
{
	while (!is_done) {
		for (volatile int step = 0; step < STEPS; step++)
			;
		let_others_run();
	}
	return 0;
}

long system_call(long number, struct frame *frame)
{
	switch (number) {
	case SYS_EXEC:
		return sys_exec(frame, frame->x[10]);
	case SYS_WORK:
		return sys_work();
	case SYS_EXIT:
		if (current()->number == 1)
			is_done = 1;
		else
			finish("ok");
		task_exit();
	}
	return -1;
}

USER void user_main(long program)
{
	if (program == 2)
		call(SYS_EXIT, call(SYS_WORK));
	if (program < 2 + PROGRAMS)
		call(SYS_EXEC, program == 1 ? 3 : program + 1);
	call(SYS_EXIT, 0);
}
