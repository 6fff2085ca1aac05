/* Birth, end and reaping of tasks. */
#include "address_space.h"
#include "console.h"
#include "errno.h"
#include "exec.h"
#include "fs.h"
#include "kstack.h"
#include "lock.h"
#include "riscv.h"
#include "sched.h"
#include "string.h"
#include "task.h"

struct task tasks[MAX_TASKS];

extern void task_entry(void);

static struct task *task_slot(void)
{
	static int last_pid;

	for (size_t i = 0; i < MAX_TASKS; i++) {
		if (tasks[i].state != TASK_UNUSED)
			continue;
		memset(&tasks[i], 0, sizeof(tasks[i]));
		tasks[i].pid = ++last_pid;
		return &tasks[i];
	}
	return NULL;
}

/* The task's first switch lands in task_entry, with sp at its trap frame. */
static int give_stack(struct task *task)
{
	task->kernel_stack = kstack_alloc();
	if (!task->kernel_stack)
		return -ENOMEM;
	task->frame = (struct trap_frame *)(task->kernel_stack + KSTACK_SIZE) - 1;
	task->context.ra = (uint64_t)task_entry;
	task->context.sp = (uint64_t)task->frame;
	return 0;
}

void task_create_init(void)
{
	struct task *task = task_slot();

	if (!task || give_stack(task) < 0)
		panic("no memory for the first task");
	memset(task->frame, 0, sizeof(*task->frame));
	task->state = TASK_RUNNABLE;
}

/* Called by task_entry in a new task, with the kernel lock held by the scheduler. */
void task_start(void)
{
	struct task *task = current_task();

	if (task->pid == 1) {
		int error;

		irq_enable();
		error = fs_mount();
		if (!error)
			error = exec_program(task, "/init");
		if (error)
			panic("/init cannot be run: error %d", error);
		irq_disable();
	}
	kernel_unlock();
}

int task_clone(bool share_memory, vaddr_t stack)
{
	struct task *parent = current_task();
	struct task *child = task_slot();

	if (!child)
		return -EAGAIN;
	if (share_memory) {
		child->space = parent->space;
		child->space->users++;
	} else {
		child->space = address_space_fork(parent->space);
	}
	if (!child->space)
		return -ENOMEM;
	if (give_stack(child) < 0) {
		address_space_put(child->space);
		return -ENOMEM;
	}
	*child->frame = *parent->frame;
	child->frame->a[0] = 0;
	if (stack)
		child->frame->sp = stack;
	memcpy(child->files, parent->files, sizeof(child->files));
	child->parent = parent;
	child->state = TASK_RUNNABLE;
	return child->pid;
}

_Noreturn void task_exit(int status)
{
	struct task *task = current_task();

	if (task->pid == 1)
		panic("/init has ended, status %d", status);
	irq_disable();
	for (size_t i = 0; i < MAX_TASKS; i++)
		if (tasks[i].parent == task)
			tasks[i].parent = &tasks[0];
	address_space_leave(task->space);
	task->space = NULL;
	task->exit_status = status;
	task->state = TASK_ZOMBIE;
	wake_up(task->parent);
	reschedule();
	panic("an ended task ran again");
}

static void reap(struct task *task)
{
	kstack_free(task->kernel_stack);
	task->state = TASK_UNUSED;
	task->parent = NULL;
}

int task_wait(int pid, int *status)
{
	struct task *parent = current_task();

	for (;;) {
		bool any = false;

		for (size_t i = 0; i < MAX_TASKS; i++) {
			struct task *child = &tasks[i];

			if (child->state == TASK_UNUSED || child->parent != parent ||
			    (pid > 0 && child->pid != pid))
				continue;
			any = true;
			if (child->state != TASK_ZOMBIE)
				continue;
			*status = child->exit_status;
			pid = child->pid;
			reap(child);
			return pid;
		}
		if (!any)
			return -ECHILD;
		sleep_on(parent, NO_DEADLINE);
	}
}
