/*
 * A kernel with a page table of its own: RAM at its own addresses, and the kernel stack of each process high
 * up, with an unmapped page below it. A user's page table holds the user's pages and two more: the trampoline,
 * where traps change the page table, and a page for the registers of its process. The scheduler runs on each
 * hart's boot stack; every process can be preempted, in the kernel too.
 *
 * DIRECT_STACKS: kernel stacks are pages of the direct map instead, taken and given back with their process;
 * with REGISTERS_FIRST the page for the registers is taken before the stack, and the page table behind it.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include "console.h"
#include "frames.h"
#include "memory.h"
#include "paging.h"
#include "truth.h"
#include "user.h"

#define HARTS 3
#define PROCESSES 6
#define RAM_END (RAM_START + (16UL << 20))
#define TRAMPOLINE ((1UL << 38) - PAGE)
#define REGISTERS (TRAMPOLINE - PAGE)
#ifndef STACK_PAGES
#define STACK_PAGES 1
#endif
#ifndef GUARD_PAGES
#define GUARD_PAGES 1
#endif
#define STACK_BASE(slot) (TRAMPOLINE - ((slot) + 1) * (STACK_PAGES + GUARD_PAGES) * PAGE)
#define TICK 500
#ifndef USER_VECTOR
#define USER_VECTOR (TRAMPOLINE + (uint64_t)(user_vector - trampoline))
#endif

#define CALL_EXIT 1
#define CALL_FORK 2
#define CALL_WAIT 3
#define CALL_EXEC 4
#define CALL_GROW 5
#define CALL_WRITE 6
#define CALL_PAUSE 7
#define CALL_FINISH 8
#define CALL_OWN 16 /* from here on they are the variant's */

struct registers {
	uint64_t x[32];
	uint64_t pc;
	uint64_t kernel_satp, kernel_sp, kernel_tp, kernel_gp, kernel_trap;
};

struct context {
	uint64_t ra, sp, s[12];
};

enum state { UNUSED, EMBRYO, READY, RUNNING, ASLEEP, ENDED };

struct process {
	volatile enum state state;
	const volatile void *channel;
	long number, status;
	struct process *parent;
	uint64_t stack_base, root, size;
	struct registers *registers;
	struct context context;
};

struct hart {
	struct process *process;
	struct context scheduler;
	int off_depth, was_on;
};

struct lock {
	volatile int is_held;
};

extern struct process processes[PROCESSES];
extern struct lock table_lock;

static inline unsigned long hart_number(void)
{
	unsigned long number;
	__asm__ volatile("mv %0, tp" : "=r"(number));
	return number;
}

/* locks.c; a hart that holds a lock takes no interrupts. */
struct hart *this_hart(void);
void interrupts_off(void);
void interrupts_restore(void);
void acquire(struct lock *lock);
void release(struct lock *lock);
void let_others_run(void);

/* spaces.c; user memory begins at USER_TEXT and is `size` bytes long. */
uint64_t page_take(void);
void page_give(uint64_t page);
void kernel_space_create(void);
void kernel_space_use(void);
uint64_t *entry_of(uint64_t root, uint64_t virtual, int make);
void map(uint64_t root, uint64_t virtual, uint64_t physical, uint64_t flags);
uint64_t unmap(uint64_t root, uint64_t virtual);
uint64_t user_space_create(uint64_t registers);
void user_space_free(uint64_t root, uint64_t size);
uint64_t user_image_load(uint64_t root);
void user_copy(uint64_t from, uint64_t to, uint64_t size);
void user_page_give(uint64_t page);
uint64_t user_page_for_store(uint64_t root, uint64_t virtual);
int copy_in(uint64_t root, void *to, uint64_t from, uint64_t size);
int copy_out(uint64_t root, uint64_t to, const void *from, uint64_t size);
extern uint64_t kernel_root;

/* processes.c */
struct process *current(void);
struct process *process_create(void);
void first_process_create(void);
void process_free(struct process *process);
long fork(void);
void exit(long status) __attribute__((noreturn));
long wait(void);
long exec(long program);
void yield(void);
void sleep(const volatile void *channel, struct lock *lock);
void wake(const volatile void *channel);
void schedule(void) __attribute__((noreturn));

/* traps.c */
void traps_use(void);
void user_return(void) __attribute__((noreturn));
extern volatile uint64_t ticks;

/* What each kernel of this design has of its own. The first process begins with 1 in a0. */
void before_end(void);
long own_call(long number, struct registers *registers);
/* Returns whether the faulting instruction is to be tried again. */
int handle_fault(uint64_t cause, uint64_t address);

#endif
