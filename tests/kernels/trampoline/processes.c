#include "kernel.h"

struct process processes[PROCESSES];
struct lock table_lock;
static long last_number;

void switch_context(struct context *from, const struct context *to);

struct process *current(void)
{
	interrupts_off();
	struct process *process = this_hart()->process;
	interrupts_restore();
	return process;
}

/* Where a process first runs: the scheduler let it in with the lock held. */
static void first_run(void)
{
	release(&table_lock);
	user_return();
}

static struct process *slot_take(void)
{
	struct process *found = NULL;
	acquire(&table_lock);
	for (struct process *process = processes; !found && process < processes + PROCESSES; process++)
		if (process->state == UNUSED)
			found = process;
	if (found) {
		found->state = EMBRYO;
		found->number = ++last_number;
	}
	release(&table_lock);
	return found;
}

/* Returns NULL where all slots are taken. */
struct process *process_create(void)
{
	struct process *process = slot_take();
	if (!process)
		return NULL;
#ifdef REGISTERS_FIRST
	process->registers = (struct registers *)page_take();
#endif
#ifdef DIRECT_STACKS
	process->stack_base = page_take();
#endif
#ifndef REGISTERS_FIRST
	process->registers = (struct registers *)page_take();
#endif
	process->root = user_space_create((uint64_t)process->registers);
	process->size = 0;
	memset(&process->context, 0, sizeof(process->context));
	process->context.ra = (uint64_t)first_run;
	process->context.sp = process->stack_base + STACK_PAGES * PAGE;
	return process;
}

void first_process_create(void)
{
	struct process *first = process_create();
	first->size = user_image_load(first->root);
	first->registers->pc = USER_TEXT;
	first->registers->x[2] = USER_TEXT + first->size;
	first->registers->x[10] = 1;
	first->state = READY;
}

void process_free(struct process *process)
{
	user_space_free(process->root, process->size);
	page_give((uint64_t)process->registers);
#ifdef DIRECT_STACKS
	page_give(process->stack_base);
#endif
	process->state = UNUSED;
}

/* Where nobody runs or waits for the clock, only a device could wake anybody. */
static void stop_clock_if_idle(void)
{
	for (struct process *process = processes; process < processes + PROCESSES; process++) {
		enum state state = process->state;
		if (state == ASLEEP ? process->channel == &ticks : state != UNUSED && state != ENDED)
			return;
	}
#ifndef MACHINE_CLOCK
	csr_write(0x14d, -1UL); /* stimecmp */
#endif
}

void schedule(void)
{
	for (;;) {
		int ran = 0;
		csr_set(sstatus, 2);
		for (struct process *process = processes; process < processes + PROCESSES; process++) {
			acquire(&table_lock);
			if (process->state == READY) {
				process->state = RUNNING;
				this_hart()->process = process;
				switch_context(&this_hart()->scheduler, &process->context);
				this_hart()->process = NULL;
				ran = 1;
			}
			release(&table_lock);
		}
		if (!ran) {
			stop_clock_if_idle();
			__asm__ volatile("wfi");
		}
	}
}

/* With the table's lock held, and no other. */
static void leave(void)
{
	struct process *process = this_hart()->process;
	int was_on = this_hart()->was_on;
	if (this_hart()->off_depth != 1)
		panic("leaves with locks held", (uint64_t)this_hart()->off_depth);
	switch_context(&process->context, &this_hart()->scheduler);
	this_hart()->was_on = was_on;
}

void yield(void)
{
	acquire(&table_lock);
	this_hart()->process->state = READY;
	leave();
	release(&table_lock);
}

/* Gives up the lock (NULL for none) while asleep. */
void sleep(const volatile void *channel, struct lock *lock)
{
	struct process *process = current();
	if (lock != &table_lock)
		acquire(&table_lock);
	if (lock && lock != &table_lock)
		release(lock);
	process->channel = channel;
	process->state = ASLEEP;
	leave();
	process->channel = NULL;
	if (lock != &table_lock)
		release(&table_lock);
	if (lock && lock != &table_lock)
		acquire(lock);
}

static void wake_locked(const volatile void *channel)
{
	for (struct process *process = processes; process < processes + PROCESSES; process++)
		if (process->state == ASLEEP && process->channel == channel)
			process->state = READY;
}

void wake(const volatile void *channel)
{
	acquire(&table_lock);
	wake_locked(channel);
	release(&table_lock);
}

long fork(void)
{
	struct process *parent = current(), *child = process_create();
	if (!child)
		return -1;
	user_copy(parent->root, child->root, parent->size);
	child->size = parent->size;
	child->parent = parent;
	*child->registers = *parent->registers;
	child->registers->x[10] = 0;
	long number = child->number;
	acquire(&table_lock);
	child->state = READY;
	release(&table_lock);
	return number;
}

__attribute__((weak)) void before_end(void)
{
}

void exit(long status)
{
	struct process *process = current();
	if (process == &processes[0])
		panic("the first process ended", (uint64_t)status);
	before_end();
	acquire(&table_lock);
	for (struct process *child = processes; child < processes + PROCESSES; child++)
		if (child->parent == process)
			child->parent = &processes[0];
	wake_locked(process->parent);
	process->status = status;
	process->state = ENDED;
	leave();
	panic("an ended process runs", (uint64_t)process->number);
}

/* Returns the number of a child that has ended, -1 where there are none left. */
long wait(void)
{
	struct process *process = current();
	acquire(&table_lock);
	for (;;) {
		int children = 0;
		for (struct process *child = processes; child < processes + PROCESSES; child++) {
			if (child->parent != process || child->state == UNUSED)
				continue;
			children++;
			if (child->state == ENDED) {
				long number = child->number;
				child->parent = NULL;
				process_free(child);
				release(&table_lock);
				return number;
			}
		}
		if (!children) {
			release(&table_lock);
			return -1;
		}
		sleep(process, &table_lock);
	}
}

/* Begins the user's program anew, with `program` in a0. */
long exec(long program)
{
	struct process *process = current();
	uint64_t root = user_space_create((uint64_t)process->registers);
	uint64_t size = user_image_load(root), old_root = process->root, old_size = process->size;
	process->root = root;
	process->size = size;
	process->registers->pc = USER_TEXT;
	process->registers->x[2] = USER_TEXT + size;
	if (old_size)
		user_space_free(old_root, old_size);
	return program;
}
