/*
 * In order: tasks begin on small stacks. A function that finds too little room below it has its task's stack
 * copied into a block of twice the size, and goes on there; the old one is given back and used anew.
 */
#include "kernel.h"

#define SMALLEST 1024UL
#define NEEDED 512UL

static struct task *collector;
static int moves;

void ensure_room(void);

/* On the interrupt stack, with interrupts disabled: returns the stack pointer's new value. */
uint64_t move_stack(uint64_t sp)
{
	struct task *task = current_task();
	if (sp - (uint64_t)task->stack >= NEEDED)
		return sp;
	uint64_t live = (uint64_t)task->stack + task->stack_size - sp;
	char *larger = heap_take(2 * task->stack_size);
	char *to = larger + 2 * task->stack_size - live;
	memcpy(to, (void *)sp, live);
	memset(task->stack, STACK_FILL, task->stack_size);
	heap_give(task->stack);
	task->stack = larger;
	task->stack_size *= 2;
	moves++;
	return (uint64_t)to;
}

/* Nothing in these frames points into the stack. */
NOINLINE static uint64_t sum_to(uint64_t last)
{
	ensure_room();
	volatile uint64_t own = last;
	if (last % 8 == 0)
		yield();
	return last ? sum_to(last - 1) + own : 0;
}

static void count(void *argument)
{
	uint64_t sum = sum_to((uint64_t)argument);
	send(collector, sum);
	task_exit();
}

static void collect(void *argument)
{
	(void)argument;
	collector = current_task();
	for (uint64_t last = 10; last < 80; last += 15) {
		task_create("one", count, (void *)last, SMALLEST);
		task_create("other", count, (void *)last, SMALLEST);
		for (int place = 0; place < 2; place++)
			if (receive() != last * (last + 1) / 2)
				panic("wrong sum", last);
	}
	finish(moves > 4 ? "ok" : "no stack was moved");
}

void setup(void)
{
	task_create("collect", collect, NULL, 2048);
}
