/*
 * In order: tasks come and go and their stacks are used anew, jumps out of deep calls, frames of variable
 * size, calls in the place of returns, and tasks that look how much of a stack was never used, word by word
 * or by halves.
 */
#include "kernel.h"

#define ROUNDS 24

typedef uint64_t place[14];

int set_jump(place here);
void long_jump(place there);

static struct task *collector, *volatile watched;
static volatile uint64_t ticks;

NOINLINE static uint64_t digits_of(uint64_t value)
{
	char digits[40];
	int count = 0;
	for (; value; value /= 10)
		digits[count++] = (char)('0' + value % 10);
	uint64_t sum = 0;
	while (count)
		sum = sum * 3 + (uint64_t)digits[--count];
	return sum;
}

/* On the interrupt stack, interrupted itself. */
void tick(void)
{
	volatile uint64_t kept = digits_of(ticks);
	if (kept != digits_of(ticks))
		panic("an interrupt lost its value", kept);
	ticks++;
}

NOINLINE static void dig(place way_out, int depth)
{
	volatile char trail[48];
	trail[depth % 48] = (char)depth;
	if (depth == 6)
		long_jump(way_out);
	if (depth < 6)
		dig(way_out, depth + 1);
	trail[0]++;
}

NOINLINE static uint64_t sum_of_variable(uint64_t count)
{
	volatile uint64_t values[count];
	uint64_t sum = 0;
	for (uint64_t index = 0; index < count; index++)
		values[index] = index;
	for (uint64_t index = 0; index < count; index++)
		sum += values[index];
	return sum;
}

NOINLINE static uint64_t odd(uint64_t value);

NOINLINE static uint64_t even(uint64_t value)
{
	volatile uint64_t kept = value;
	return kept ? odd(kept - 1) : 1;
}

NOINLINE static uint64_t odd(uint64_t value)
{
	volatile uint64_t kept = value;
	return kept ? even(kept - 1) : 0;
}

NOINLINE static uint64_t room_by_halves(const struct task *task)
{
	const volatile uint64_t *words = (const volatile uint64_t *)task->stack;
	uint64_t low = 0, high = task->stack_size / 8;
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		if (words[middle] == STACK_FILL * 0x0101010101010101u)
			low = middle + 1;
		else
			high = middle;
	}
	return low * 8;
}

NOINLINE __attribute__((noreturn)) static void report(uint64_t result)
{
	watched = NULL;
	send(collector, result);
	task_exit();
}

static void work(void *argument)
{
	uint64_t number = (uint64_t)argument;
	place way_out;
	uint64_t room = room_by_halves(current_task());
	uint64_t sum = sum_of_variable(number % 5 + 3) + even(number % 8 + 6);
	if (!set_jump(way_out))
		dig(way_out, 0);
	if (room_by_halves(current_task()) < 64)
		panic("a stack is almost used up", room);
	report(sum + digits_of(number));
}

static void look_after_stacks(void *argument)
{
	(void)argument;
	for (;;) {
		uint64_t before = disable_interrupts();
		if (watched && stack_room(watched) < 64)
			panic("a stack is almost used up", (uint64_t)watched);
		if (stack_room(current_task()) < 64 || stack_room(collector) < 64)
			panic("a stack is almost used up", 0);
		restore_interrupts(before);
		yield();
	}
}

static void collect(void *argument)
{
	uint64_t expected, got;
	(void)argument;
	collector = current_task();
	task_create("checker", look_after_stacks, NULL, 1024);
	for (uint64_t round = 0; round < ROUNDS; round++) {
		watched = task_create("worker", work, (void *)round, 1024 + round % 2 * 256);
		expected = (round % 5 + 3) * (round % 5 + 2) / 2 + !(round & 1) + digits_of(round);
		got = receive();
		if (got != expected)
			panic("wrong result", got);
	}
	finish(ticks > 3 ? "ok" : "no time has passed");
}

void setup(void)
{
	task_create("collect", collect, NULL, 2048);
}
