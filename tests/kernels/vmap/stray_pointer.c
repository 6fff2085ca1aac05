/*
 * A thread leaves the address of a local variable in a mailbox and goes on to other work on the same stack;
 * the answer is then written into live locals. With LIVE_LETTER the variable is still there, and waited for.
 */
#include "kernel.h"

#ifdef LIVE_LETTER
#define EXPECTED (63 + 4711)
#else
#define EXPECTED 64
#endif

static struct thread client, server;
static volatile long *volatile mailbox;

NOINLINE static void ask(void)
{
	volatile long letter[48];
	for (int place = 0; place < 48; place++)
		letter[place] = 0;
	mailbox = &letter[40];
	truth.victim = stack_physical((uint64_t)mailbox);
	truth.victim_size = sizeof(*mailbox);
}

NOINLINE static long count_words(void)
{
	volatile long lengths[64];
	long sum = 0;
	for (int place = 0; place < 64; place++)
		lengths[place] = 1;
#ifdef LIVE_LETTER
	mailbox = &lengths[40];
#endif
	yield();
	for (int place = 0; place < 64; place++)
		sum += lengths[place];
	return sum;
}

static void run_client(void)
{
	ask();
	finish(count_words() == EXPECTED ? "counted" : "wrong count of words");
}

NOINLINE static void answer(long value)
{
	*mailbox = value;
}

static void run_server(void)
{
	answer(4711);
	thread_exit();
}

void setup(void)
{
	thread_create(&client, run_client, 2, 1);
	thread_create(&server, run_server, 2, 1);
	truth.stack_base = server.stack_base;
	truth.stack_top = server.stack_top;
}
