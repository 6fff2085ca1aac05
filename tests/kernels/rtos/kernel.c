#include "kernel.h"

#define CAUSE_MACHINE_ECALL 11
#define CAUSE_TIMER (INTERRUPT | 7)
#define MIE_TIMER (1UL << 7)
#define TIME_COMPARE ((volatile uint64_t *)0x2004000)
#define TIME ((volatile uint64_t *)0x200bff8)
#define SLICE 200
#define CALL_YIELD 0
#define CALL_EXIT 1

const uint64_t linear_offset;

static struct task *first, *running;
static int has_timer;

void task_create(struct task *task, void (*entry)(void), void *stack_top, uint64_t status)
{
	struct frame *frame = (struct frame *)stack_top - 1;
	memset(frame, 0, sizeof(*frame));
	frame->x[2] = (uint64_t)stack_top;
	__asm__("mv %0, gp" : "=r"(frame->x[3]));
	frame->epc = (uint64_t)entry;
	frame->status = status;
	task->frame = frame;
	task->has_ended = 0;
	task->next = first;
	first = task;
}

void start_timer(void)
{
	has_timer = 1;
	*TIME_COMPARE = *TIME + SLICE;
	csr_set(mie, MIE_TIMER);
}

static void choose_next(void)
{
	do
		running = running->next ? running->next : first;
	while (running->has_ended);
}

__attribute__((weak)) long system_call(long number, struct frame *frame)
{
	(void)frame;
	panic("no such call", (uint64_t)number);
}

static void handle_call(struct frame *frame)
{
	frame->epc += 4;
	switch (frame->x[17]) {
	case CALL_EXIT:
		running->has_ended = 1;
		choose_next();
		break;
	case CALL_YIELD:
		choose_next();
		break;
	default:
		frame->x[10] = (uint64_t)system_call((long)frame->x[17], frame);
	}
}

struct frame *handle_trap(struct frame *frame)
{
	uint64_t cause = csr_read(mcause);
	running->frame = frame;
	if (cause == CAUSE_MACHINE_ECALL || cause == CAUSE_USER_ECALL) {
		handle_call(frame);
	} else if (cause == CAUSE_TIMER && has_timer) {
		start_timer();
		choose_next();
	} else {
		panic_on_trap(cause, frame->epc, csr_read(mtval));
	}
	return running->frame;
}

void kernel_main(void)
{
	static struct task boot;
	setup();
	boot.has_ended = 1;
	running = &boot;
	yield();
}
