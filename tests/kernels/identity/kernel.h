/*
 * A kernel at physical addresses, mapped so in every address space: tp points to the running task, sscratch
 * does while user code runs, and registers are saved in the task. A timer takes turns away where asked for.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "console.h"
#include "frames.h"
#include "memory.h"
#include "paging.h"
#include "truth.h"
#include "user.h"

struct frame {
	uint64_t x[32];
	uint64_t epc;
	uint64_t status;
};

/* switch.S and trap.S know the places of the first four. */
struct task {
	uint64_t stack_top;
	uint64_t user_sp;
	uint64_t satp;
	uint64_t saved[14];
	struct task *next;
	int has_ended;
	long number;
};

register struct task *current __asm__("tp");

void setup(void);
long system_call(long number, struct frame *frame);
/* On a software interrupt, which a kernel gives itself. */
void handle_interrupt(void);
/* Returns whether what trapped may go on, as `frame` then says. */
int handle_fault(struct frame *frame, uint64_t cause);

/* A task at `task` with a kernel stack that ends at `top`, both as the kernel addresses them. */
void task_create(struct task *task, long number, uint64_t root, uint64_t top);
void yield(void);
void task_exit(void);
void start_timer(void);
void interrupt_myself(void);

#endif
