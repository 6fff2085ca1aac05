/*
 * No guard pages: the decoder's array is larger than its stack. sp steps over the neighbour's whole stack
 * into that of a thread that has ended, and the array is filled through a pointer. The adder's registers are
 * gone when its turn comes.
 */
#include "kernel.h"

#define ENTRIES 1024

static struct thread greeter, adder, decoder;

static void greet(void)
{
	print("hello\n");
	thread_exit();
}

NOINLINE static long add_up(void)
{
	volatile long parts[32];
	long sum = 0;
	for (long place = 0; place < 32; place++)
		parts[place] = place;
	yield();
	for (long place = 0; place < 32; place++)
		sum += parts[place];
	return sum;
}

static void add(void)
{
	finish(add_up() == 496 ? "added" : "wrong sum");
}

NOINLINE static void fill_table(volatile uint64_t *table, int entries)
{
	for (int entry = 0; entry < entries; entry++)
		table[entry] = (uint64_t)entry * 257;
}

static void decode(void)
{
	volatile uint64_t table[ENTRIES];
	fill_table(table, ENTRIES);
	yield();
	thread_exit();
}

void setup(void)
{
	thread_create(&greeter, greet, 2, 0);
	thread_create(&adder, add, 1, 0);
	thread_create(&decoder, decode, 1, 0);
	truth = (struct truth){ decoder.stack_base, decoder.stack_top, stack_physical(adder.stack_top - 512),
				512 };
}
