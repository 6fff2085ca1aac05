/*
 * In order: signals are delivered in frames that the kernel puts on the user's stack, a sleeping call gets
 * its result from the task that wakes it, and a task changes registers that another one has saved. A bad
 * address given to the kernel makes it fault, and the fault's handler has it go on with a result.
 */
#include "kernel.h"

#define SYS_SLEEP 1
#define SYS_WAKE 2
#define SYS_SET_REGISTER 3
#define SYS_ON_SIGNAL 4
#define SYS_KILL 5
#define SYS_SIGNAL_DONE 6
#define SYS_PEEK 7
#define SYS_EXIT 93
#define S1 9
#define S2 18
#define NOT_MAPPED 0x50000000UL
#define FAULT (-14L)
#define TASKS 2

static struct task tasks[TASKS + 1];
static struct {
	struct frame *frame;
	uint64_t handler;
	int is_asleep, signal;
} states[TASKS + 1];
static int ended;

void setup(void)
{
	for (long number = 1; number <= TASKS; number++)
		task_create(&tasks[number], number, space_create_user(), frames_take(2) + 2 * PAGE);
}

NOINLINE static long peek(long address)
{
	register long result __asm__("s2") = 0;
	__asm__ volatile(".option push\n.option norvc\nlw zero, (%1)\n.option pop"
			 : "+r"(result)
			 : "r"(address));
	return result;
}

int handle_fault(struct frame *frame, uint64_t cause)
{
	if (cause != CAUSE_LOAD_PAGE_FAULT || !(frame->status & SSTATUS_SPP))
		return 0;
	frame->x[S2] = (uint64_t)FAULT;
	frame->epc += 4;
	return 1;
}

static void deliver_signal(struct frame *frame, long number)
{
	struct frame *saved = (struct frame *)(frame->x[2] & -16UL) - 1;
	memcpy(saved, frame, sizeof(*saved));
	frame->x[2] = (uint64_t)saved;
	frame->x[10] = (uint64_t)states[number].signal;
	frame->x[11] = (uint64_t)saved;
	frame->epc = states[number].handler;
	states[number].signal = 0;
}

static long sleep(long number)
{
	states[number].is_asleep = 1;
	while (states[number].is_asleep)
		yield();
	return (long)states[number].frame->x[10];
}

static long serve(long number, long own, struct frame *frame)
{
	long first = (long)frame->x[10], second = (long)frame->x[11];
	switch (number) {
	case SYS_SLEEP:
		return sleep(own);
	case SYS_WAKE:
		while (!states[first].is_asleep)
			yield();
		states[first].frame->x[10] = (uint64_t)second;
		states[first].is_asleep = 0;
		return 0;
	case SYS_SET_REGISTER:
		while (!states[first].is_asleep)
			yield();
		states[first].frame->x[S1] = (uint64_t)second;
		return 0;
	case SYS_ON_SIGNAL:
		states[own].handler = (uint64_t)first;
		return 0;
	case SYS_KILL:
		states[first].signal = (int)second;
		return 0;
	case SYS_PEEK:
		return peek(first);
	case SYS_EXIT:
		if (first)
			panic("task failed", (uint64_t)first);
		if (++ended == TASKS)
			finish("ok");
		task_exit();
	}
	return -1;
}

long system_call(long number, struct frame *frame)
{
	long own = current->number;
	states[own].frame = frame;
	if (number == SYS_SIGNAL_DONE) {
		memcpy(frame, (void *)frame->x[10], sizeof(*frame));
		return (long)frame->x[10];
	}
	long result = serve(number, own, frame);
	if (states[own].signal && states[own].handler) {
		frame->x[10] = (uint64_t)result;
		deliver_signal(frame, own);
		return (long)frame->x[10];
	}
	return result;
}

USER __attribute__((noreturn)) static void on_signal(long signal, struct frame *saved)
{
	*(volatile long *)USER_STACK += signal;
	call(SYS_SIGNAL_DONE, (long)saved);
	for (;;)
		;
}

USER static long sleep_with(long kept)
{
	register long s1 __asm__("s1") = kept;
	register long a7 __asm__("a7") = SYS_SLEEP;
	register long a0 __asm__("a0") = 0;
	__asm__ volatile("ecall" : "+r"(s1), "+r"(a0) : "r"(a7) : "memory");
	return s1 * 1000 + a0;
}

USER void user_main(long task)
{
	volatile long *signals = (volatile long *)USER_STACK;
	long wrong = 0;
	*signals = 0;
	call(SYS_ON_SIGNAL, (long)on_signal);
	for (long turn = 1; turn < 6; turn++) {
		if (task == 1) {
			wrong |= sleep_with(3) != 7000 + turn;
		} else {
			call(SYS_SET_REGISTER, 1, 7);
			call(SYS_KILL, 1, turn);
			call(SYS_WAKE, 1, turn);
		}
	}
	wrong |= call(SYS_PEEK, NOT_MAPPED) != FAULT || call(SYS_PEEK, USER_STACK);
	if (task == 1)
		wrong |= *signals != 15;
	call(SYS_EXIT, wrong);
}
