/*
 * The kernel lock: one hart at a time runs kernel code. A hart takes it when it traps in from user
 * mode and gives it back on the way out; a context switch hands it on to the next task.
 */
#ifndef LOCK_H
#define LOCK_H

#include "types.h"

/* Both with interrupts off. */
void kernel_lock(void);
void kernel_unlock(void);

/* Whether this hart holds it. */
bool kernel_locked(void);

#endif
