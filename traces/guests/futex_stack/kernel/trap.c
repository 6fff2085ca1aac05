/* Dispatch of traps: system calls and faults from user mode, interrupts from everywhere. */
#include "console.h"
#include "lock.h"
#include "plic.h"
#include "riscv.h"
#include "sched.h"
#include "syscall.h"
#include "timer.h"

#define STUCK_TICKS 300

static void handle_interrupt(uint64_t number)
{
	switch (number) {
	case IRQ_TIMER:
		timer_interrupt();
		break;
	case IRQ_EXTERNAL:
		plic_interrupt();
		break;
	default:
		csr_clear(sip, SIE_SSIE);
		break;
	}
}

static void handle_user_exception(struct trap_frame *frame)
{
	if (frame->scause == CAUSE_USER_ECALL) {
		frame->sepc += 4;
		irq_enable();
		syscall_dispatch(frame);
		irq_disable();
		return;
	}
	printk("pid %d: exception %u at %x, stval %x\n", current_task()->pid, frame->scause, frame->sepc,
	       frame->stval);
	task_exit(128 + (int)frame->scause);
}

static void trap_from_user(struct trap_frame *frame)
{
	kernel_lock();
	if (frame->scause & SCAUSE_INTERRUPT)
		handle_interrupt(frame->scause & ~SCAUSE_INTERRUPT);
	else
		handle_user_exception(frame);
	if (this_hart()->need_resched)
		yield_hart();
	this_hart()->kernel_ticks = 0;
	kernel_unlock();
}

/* A loop in the kernel must not go unseen: nothing else would end it. */
static void check_progress(void)
{
	if (++this_hart()->kernel_ticks > STUCK_TICKS)
		panic("hart %u is stuck in the kernel", this_hart()->id);
}

/* A hart that waits for work has no lock; one that runs a system call already holds it. */
static void trap_from_kernel(struct trap_frame *frame)
{
	bool locked = kernel_locked();

	if (!(frame->scause & SCAUSE_INTERRUPT))
		panic("exception %u in the kernel at %x, stval %x", frame->scause, frame->sepc, frame->stval);
	if (!locked)
		kernel_lock();
	else if (frame->scause == (SCAUSE_INTERRUPT | IRQ_TIMER))
		check_progress();
	handle_interrupt(frame->scause & ~SCAUSE_INTERRUPT);
	if (!locked)
		kernel_unlock();
}

void trap_handler(struct trap_frame *frame)
{
	if (frame->sstatus & SSTATUS_SPP)
		trap_from_kernel(frame);
	else
		trap_from_user(frame);
}
