/* Tasks: user processes and threads, each with a kernel stack. */
#ifndef TASK_H
#define TASK_H

#include "file.h"
#include "trap_frame.h"
#include "types.h"

#define MAX_TASKS 16

struct address_space;

enum task_state { TASK_UNUSED, TASK_RUNNABLE, TASK_RUNNING, TASK_SLEEPING, TASK_ZOMBIE };

/* What switch_context keeps. */
struct context {
	uint64_t ra, sp;
	uint64_t s[12];
};

struct task {
	enum task_state state;
	int pid;
	int exit_status;
	struct task *parent;
	struct address_space *space; /* NULL while it has no program */
	paddr_t kernel_stack;	     /* lowest address */
	struct trap_frame *frame;    /* of the trap from user mode, at the stack's upper end */
	struct context context;
	const void *channel; /* what it sleeps on */
	uint64_t deadline;   /* time at which the sleep ends anyway; NO_DEADLINE for never */
	bool timed_out;
	struct file files[MAX_FILES];
};

extern struct task tasks[MAX_TASKS];

/* Make pid 1; it loads /init when it first runs. */
void task_create_init(void);

/* A copy of the current task that returns 0 from its trap; pid or a negative error. */
int task_clone(bool share_memory, vaddr_t stack);

/* Pid of a child that has ended, its status in *status; sleeps until there is one. */
int task_wait(int pid, int *status);

_Noreturn void task_exit(int status);

#endif
