/*
 * A real-time kernel in M-mode without paging: tasks are functions on static stacks, a trap saves all
 * registers on the stack that it comes from and goes on on the interrupt stack, a timer takes turns away.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "console.h"
#include "memory.h"
#include "truth.h"

#define MSTATUS_MPIE (1UL << 7)
#define MSTATUS_MPP_M (3UL << 11)

struct frame {
	uint64_t x[32];
	uint64_t epc;
	uint64_t status;
};

struct task {
	struct frame *frame;
	struct task *next;
	int has_ended;
};

void setup(void);
/* What a call from U-mode does, and its result. */
long system_call(long number, struct frame *frame);

/* status: MSTATUS_MPP_M or 0 for U-mode, with MSTATUS_MPIE where the timer may interrupt. */
void task_create(struct task *task, void (*entry)(void), void *stack_top, uint64_t status);
void yield(void);
void task_exit(void);
void start_timer(void);

#endif
