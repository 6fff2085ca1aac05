/*
 * A kernel in the high half: all RAM at LINEAR + physical, a kernel stack for each task made of frames in
 * that map, sscratch holding its top while user code runs, tasks pinned to harts, no preemption.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "console.h"
#include "frames.h"
#include "memory.h"
#include "paging.h"
#include "truth.h"
#include "user.h"

#define TASKS 4
#define HARTS 2

struct frame {
	uint64_t x[32];
	uint64_t epc;
	uint64_t status;
};

struct task {
	uint64_t sp;
	uint64_t root;
	uint64_t stack_top;
	const volatile void *waits_for;
	int is_alive;
	int hart;
	long number;
};

extern struct task tasks[TASKS];

/* What each kernel of this design has of its own: its tasks, its calls, and what it does on a fault. */
void setup(void);
long system_call(long number, struct frame *frame);
/* Returns whether the faulting instruction is to be tried again. */
int handle_fault(struct frame *frame, uint64_t cause, uint64_t address);

/* stack: physical address of `pages` contiguous frames. */
void task_create(long number, uint64_t root, uint64_t stack, int pages);
struct frame *task_frame(const struct task *task);
struct task *current(void);
void yield(void);
void wait_for(const volatile void *what);
void wake(const volatile void *what);
void task_exit(void);
/* Sleeps a little, on this hart. */
void let_others_run(void);

void copy_from_user(void *to, uint64_t from, size_t size);
void copy_to_user(uint64_t to, const void *from, size_t size);

#endif
