#include "kernel.h"

#define CAUSE_SOFTWARE (INTERRUPT | 1)
#define CAUSE_TIMER (INTERRUPT | 5)
#define SIE_SOFTWARE (1UL << 1)
#define SLICE 300

const uint64_t linear_offset;

static struct task boot_task, *first;

void return_from_trap(void);
void switch_to(struct task *from, struct task *to);

void task_create(struct task *task, long number, uint64_t root, uint64_t top)
{
	struct frame *frame = (struct frame *)top - 1;
	memset(frame, 0, sizeof(*frame));
	frame->epc = USER_TEXT;
	frame->x[2] = USER_STACK + PAGE;
	frame->x[10] = (uint64_t)number;
	frame->status = SSTATUS_SUM | SSTATUS_SPIE;
	memset(task, 0, sizeof(*task));
	task->stack_top = top;
	task->satp = SATP_SV39 | root >> 12;
	task->saved[0] = (uint64_t)return_from_trap;
	task->saved[1] = (uint64_t)frame;
	task->number = number;
	task->next = first;
	first = task;
}

void yield(void)
{
	struct task *task = current;
	do
		task = task->next ? task->next : first;
	while (task->has_ended);
	if (task != current)
		switch_to(current, task);
}

void task_exit(void)
{
	current->has_ended = 1;
	yield();
	panic("a task that has ended runs", 0);
}

void start_timer(void)
{
	csr_write(0x14d, csr_read(time) + SLICE); /* stimecmp */
	csr_set(sie, SIE_TIMER);
}

void interrupt_myself(void)
{
	csr_set(sie, SIE_SOFTWARE);
	csr_set(sip, SIP_SOFTWARE);
	csr_set(sstatus, 2);
	csr_clear(sstatus, 2);
}

__attribute__((weak)) void handle_interrupt(void)
{
}

__attribute__((weak)) int handle_fault(struct frame *frame, uint64_t cause)
{
	(void)frame, (void)cause;
	return 0;
}

void handle_trap(struct frame *frame)
{
	uint64_t cause = csr_read(scause);
	switch (cause) {
	case CAUSE_USER_ECALL:
		frame->epc += 4;
		frame->x[10] = (uint64_t)system_call((long)frame->x[17], frame);
		break;
	case CAUSE_SOFTWARE:
		csr_clear(sip, SIP_SOFTWARE);
		handle_interrupt();
		break;
	case CAUSE_TIMER:
		start_timer();
		yield();
		break;
	default:
		if (!handle_fault(frame, cause))
			panic_on_trap(cause, frame->epc, csr_read(stval));
	}
}

void kernel_main(void)
{
	current = &boot_task;
	csr_set(sstatus, SSTATUS_SUM);
	setup();
	boot_task.has_ended = 1;
	yield();
}
