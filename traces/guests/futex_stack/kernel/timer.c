/* The periodic tick of each hart: time slices end and timeouts expire on it. */
#include "layout.h"
#include "riscv.h"
#include "sbi.h"
#include "sched.h"
#include "timer.h"

#define TICKS_PER_SECOND 100

void timer_init_hart(void)
{
	sbi_set_timer(read_time() + TIMEBASE_HZ / TICKS_PER_SECOND);
}

void timer_interrupt(void)
{
	uint64_t now = read_time();

	sbi_set_timer(now + TIMEBASE_HZ / TICKS_PER_SECOND);
	wake_expired(now);
	this_hart()->need_resched = true;
}
