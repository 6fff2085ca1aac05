/*
 * A kernel of threads alone, in S-mode: each thread's stack has addresses of its own, far from the map of
 * RAM, and frames from anywhere; traps are handled on an emergency stack.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "console.h"
#include "frames.h"
#include "memory.h"
#include "paging.h"
#include "truth.h"

#define PTE_KERNEL_DATA (PTE_V | PTE_R | PTE_W | PTE_AD)

struct thread {
	uint64_t sp;
	uint64_t stack_base;
	uint64_t stack_top;
	struct thread *next;
	int has_ended;
};

extern uint64_t boot_root[];

void setup(void);

/* Threads run in the order in which they are made; each stack lies above the one before. */
void thread_create(struct thread *thread, void (*entry)(void), int pages, int unmapped_pages_below);
struct thread *current_thread(void);
void yield(void);
void thread_exit(void);
/* The physical address behind one in a stack. */
uint64_t stack_physical(uint64_t virtual);

#endif
