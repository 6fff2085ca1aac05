/*
 * A real-time kernel in M-mode without paging: stacks and control blocks of tasks come from a heap, right
 * beside each other. A trap saves all registers on the task's own stack, notes its stack pointer in the
 * control block and goes on on the interrupt stack, which is also the one that the kernel was started on.
 * Interrupts may be interrupted.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "console.h"
#include "memory.h"
#include "truth.h"

#define STACK_FILL 0xa5

struct frame {
	uint64_t x[32];
	uint64_t epc;
	uint64_t status;
};

struct task {
	struct frame *frame;
	struct task *next;
	char *stack;
	uint64_t stack_size;
	void (*entry)(void *);
	void *argument;
	int has_ended;
	int is_waiting;
	volatile uint64_t *place_of_word;
	char name[8];
};

/* In port.S, right below the interrupt stack. */
extern struct task *running;
extern uint64_t nesting;

void setup(void);
/* What each tick of the timer does, on the interrupt stack with interrupts enabled. */
void tick(void);
/* Returns whether what trapped may go on, as `frame` then says. */
int handle_fault(struct frame *frame, uint64_t cause);

void *heap_take(uint64_t size);
void heap_give(void *block);

/* The heap gives out the stack right below the control block, with BLOCK_BELOW_STACK right above it. */
struct task *task_create(const char *name, void (*entry)(void *), void *argument, uint64_t stack_size);
struct task *current_task(void);
void yield(void);
__attribute__((noreturn)) void task_exit(void);
/* Returns to the caller when the interrupts that it disables are enabled again. */
uint64_t disable_interrupts(void);
void restore_interrupts(uint64_t before);
/* Waits for a word from another task; the sender stores it into the receiver's own variable. */
uint64_t receive(void);
void send(struct task *to, uint64_t word);
/* Bytes of a task's stack that still hold what it was filled with. */
uint64_t stack_room(const struct task *task);

#endif
