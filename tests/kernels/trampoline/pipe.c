/*
 * Two processes and a pipe between them. With LOST_WAKEUP the reader looks, gives way, and only then goes to
 * sleep: nobody wakes it any more, and everybody sleeps.
 */
#include "kernel.h"

#define ROOM 32
#define CALL_SEND CALL_OWN
#define CALL_RECEIVE (CALL_OWN + 1)
#ifdef LOST_WAKEUP
#define MESSAGES 1
#else
#define MESSAGES 40
#endif

static struct {
	struct lock lock;
	volatile uint64_t sent, received;
	char room[ROOM];
} pipe;

NOINLINE static long pipe_send(uint64_t from, uint64_t size)
{
	acquire(&pipe.lock);
	for (uint64_t place = 0; place < size; place++) {
		while (pipe.sent == pipe.received + ROOM) {
			wake(&pipe.received);
			sleep(&pipe.sent, &pipe.lock);
		}
		copy_in(current()->root, &pipe.room[pipe.sent % ROOM], from + place, 1);
		pipe.sent++;
	}
	wake(&pipe.received);
	release(&pipe.lock);
	return (long)size;
}

NOINLINE static long pipe_receive(uint64_t to, uint64_t size)
{
	acquire(&pipe.lock);
	while (pipe.sent == pipe.received) {
#ifdef LOST_WAKEUP
		release(&pipe.lock);
		for (int turn = 0; turn < 10; turn++)
			yield();
		sleep(&pipe.received, NULL);
		acquire(&pipe.lock);
#else
		sleep(&pipe.received, &pipe.lock);
#endif
	}
	uint64_t count = 0;
	for (; count < size && pipe.received < pipe.sent; count++, pipe.received++)
		copy_out(current()->root, to + count, &pipe.room[pipe.received % ROOM], 1);
	wake(&pipe.sent);
	release(&pipe.lock);
	return (long)count;
}

long own_call(long number, struct registers *registers)
{
	if (number == CALL_SEND)
		return pipe_send(registers->x[10], registers->x[11]);
	return number == CALL_RECEIVE ? pipe_receive(registers->x[10], registers->x[11]) : -1;
}

USER void user_main(long program)
{
	volatile char text[24];
	long sum = program - 1;
	if (call(CALL_FORK) == 0) {
		for (long message = 0; message < MESSAGES; message++) {
			for (unsigned long place = 0; place < sizeof(text); place++)
				text[place] = (char)message;
			call(CALL_SEND, (long)text, sizeof(text));
		}
		call(CALL_EXIT, 0);
	}
	for (unsigned long got = 0; got < MESSAGES * sizeof(text);) {
		long count = call(CALL_RECEIVE, (long)text, sizeof(text));
		for (long place = 0; place < count; place++)
			sum += text[place];
		got += (unsigned long)count;
	}
	call(CALL_WAIT);
	call(CALL_FINISH, sum != MESSAGES * (MESSAGES - 1) / 2 * (long)sizeof(text));
}
