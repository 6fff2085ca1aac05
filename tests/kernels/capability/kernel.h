/*
 * A microkernel at physical addresses: one kernel stack for each hart, begun anew by each trap and never
 * unwound. sscratch points to the running thread's control block, where a trap saves its registers; threads
 * have an address space each, pass messages, and run on whichever hart is free. The kernel is not preempted.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "console.h"
#include "frames.h"
#include "memory.h"
#include "paging.h"
#include "truth.h"
#include "user.h"

#define THREADS 4
#define HARTS 2
#define STACK_SIZE 2048

/* trap.S and push_trap.S know the places of the last five. */
struct thread {
	struct thread *partner;
	uint64_t buffer;
	int hart;
	int state;
	uint64_t kernel_sp;
	uint64_t satp;
	uint64_t epc;
	uint64_t status;
	uint64_t x[32];
};

/* The stacks grow down towards the threads. */
struct kernel {
	struct thread threads[THREADS];
	struct thread idle[HARTS];
	char stacks[HARTS][STACK_SIZE] __attribute__((aligned(16)));
};

extern struct kernel kernel;

void setup(void);
/* What a message's destination means: as many steps of a path as the sender asks for. */
struct thread *look_up(uint64_t capability, long steps);
void thread_create(long number);

#define CALL_CALL 1
#define CALL_REPLY_AND_RECEIVE 2
#define CALL_EXIT 93
#define SERVER 1
#define BUFFER USER_DATA
#define BUFFER_WORDS 16

#endif
