/*
 * In order: green threads inside a task, jumps out of deep calls, frames of variable size, a function called
 * on another stack, and all the while a timer that interrupts and gives turns to an idle task.
 */
#include "kernel.h"

typedef uint64_t place[14];

int set_jump(place here);
void long_jump(place there);
void resume(place save, place other);
long call_on_stack(long (*function)(long), long argument, void *top);

static char task_stack[4096] __attribute__((aligned(16)));
static char idle_stack[512] __attribute__((aligned(16)));
static char generator_stack[1024] __attribute__((aligned(16)));
static char extra_stack[1024] __attribute__((aligned(16)));
static struct task task, idle;
static place generator, consumer, way_out;
static volatile long generated;

static void generate(void)
{
	for (long value = 1;; value++) {
		generated = value * value;
		resume(generator, consumer);
	}
}

static long next_square(void)
{
	resume(consumer, generator);
	return generated;
}

NOINLINE static void search(int depth)
{
	volatile char trail[64];
	trail[depth % 64] = (char)depth;
	if (depth == 12)
		long_jump(way_out);
	if (depth < 12)
		search(depth + 1);
	trail[0] = trail[depth % 64];
}

NOINLINE static long sum_of_variable(long count)
{
	volatile long *values = __builtin_alloca((unsigned long)count * sizeof(long));
	long sum = 0;
	for (long index = 0; index < count; index++)
		values[index] = index;
	for (long index = 0; index < count; index++)
		sum += values[index];
	return sum;
}

static void work(void)
{
	volatile long sum = 0;
	generator[0] = (uint64_t)generate;
	generator[1] = (uint64_t)(generator_stack + sizeof(generator_stack));
	for (int turn = 0; turn < 10; turn++)
		sum += next_square();
	for (long count = 1; count < 40; count += 3) {
		sum += sum_of_variable(count);
		sum += call_on_stack(sum_of_variable, count, extra_stack + sizeof(extra_stack));
	}
	if (!set_jump(way_out))
		search(0);
	if (sum != 385 + 6084)
		panic("wrong sum", (uint64_t)sum);
	finish("ok");
}

static void rest(void)
{
	for (;;)
		yield();
}

void setup(void)
{
	task_create(&idle, rest, idle_stack + sizeof(idle_stack), MSTATUS_MPP_M);
	task_create(&task, work, task_stack + sizeof(task_stack), MSTATUS_MPP_M | MSTATUS_MPIE);
	start_timer();
}
