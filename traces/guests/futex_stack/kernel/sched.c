/* Scheduler. Task states change only with the kernel lock held and interrupts off. */
#include "address_space.h"
#include "lock.h"
#include "riscv.h"
#include "sched.h"

extern void switch_context(struct context *save, const struct context *load);

/* The next runnable task after the one that ran last, over all harts. */
static struct task *pick_task(void)
{
	static size_t last;

	for (size_t i = 1; i <= MAX_TASKS; i++) {
		size_t index = (last + i) % MAX_TASKS;

		if (tasks[index].state == TASK_RUNNABLE) {
			last = index;
			return &tasks[index];
		}
	}
	return NULL;
}

static void run_task(struct hart *hart, struct task *task)
{
	task->state = TASK_RUNNING;
	hart->current = task;
	hart->need_resched = false;
	hart->kernel_ticks = 0;
	if (task->space)
		address_space_activate(task->space);
	switch_context(&hart->scheduler, &task->context);
	hart->current = NULL;
	kernel_table_activate();
}

_Noreturn void schedule_forever(void)
{
	struct hart *hart = this_hart();

	for (;;) {
		struct task *task;

		irq_disable();
		kernel_lock();
		task = pick_task();
		if (task)
			run_task(hart, task);
		kernel_unlock();
		if (!task)
			wait_for_interrupt(); /* returns on a pending one, even while they are off */
		irq_enable();
	}
}

void reschedule(void)
{
	struct hart *hart = this_hart();

	switch_context(&hart->current->context, &hart->scheduler);
}

void yield_hart(void)
{
	uint64_t saved = irq_save();

	current_task()->state = TASK_RUNNABLE;
	reschedule();
	irq_restore(saved);
}

bool sleep_on(const void *channel, uint64_t deadline)
{
	struct task *task = current_task();
	uint64_t saved = irq_save();

	task->channel = channel;
	task->deadline = deadline;
	task->timed_out = false;
	task->state = TASK_SLEEPING;
	reschedule();
	irq_restore(saved);
	return !task->timed_out;
}

static void wake_task(struct task *task, bool timed_out)
{
	task->channel = NULL;
	task->timed_out = timed_out;
	task->state = TASK_RUNNABLE;
}

int wake_some(const void *channel, int limit)
{
	uint64_t saved = irq_save();
	int count = 0;

	for (size_t i = 0; i < MAX_TASKS && count < limit; i++) {
		if (tasks[i].state == TASK_SLEEPING && tasks[i].channel == channel) {
			wake_task(&tasks[i], false);
			count++;
		}
	}
	irq_restore(saved);
	return count;
}

void wake_up(const void *channel)
{
	wake_some(channel, MAX_TASKS);
}

void wake_expired(uint64_t now)
{
	for (size_t i = 0; i < MAX_TASKS; i++)
		if (tasks[i].state == TASK_SLEEPING && tasks[i].deadline <= now)
			wake_task(&tasks[i], true);
}
