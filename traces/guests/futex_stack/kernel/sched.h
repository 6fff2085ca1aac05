/* Scheduler: round robin over the tasks, sleeping and waking on channels. */
#ifndef SCHED_H
#define SCHED_H

#include "hart.h"

#define NO_DEADLINE UINT64_MAX

static inline struct task *current_task(void)
{
	return this_hart()->current;
}

/* The life of a hart: run tasks, wait for an interrupt when there is none. */
_Noreturn void schedule_forever(void);

/* Give the hart away; returns when the task, made runnable again, gets its turn. */
void reschedule(void);
void yield_hart(void);

/* Sleep until woken on `channel` (true) or until the time `deadline` (false). */
bool sleep_on(const void *channel, uint64_t deadline);

/* Wake all sleepers on `channel`. */
void wake_up(const void *channel);

/* Wake at most `limit` sleepers on `channel`; how many. */
int wake_some(const void *channel, int limit);

/* Wake everyone whose deadline has passed. */
void wake_expired(uint64_t now);

#endif
