/*
 * The kernel lock, a ticket lock: harts get it in the order in which they asked. One that has to
 * wait sleeps, so that on a busy host it does not take the time of the one that has the lock.
 */
#include "console.h"
#include "hart.h"
#include "lock.h"
#include "riscv.h"
#include "sbi.h"

#define LONGEST_HOLD (10 * TIMEBASE_HZ)

static uint32_t next_ticket;
static uint32_t now_serving;
static struct hart *holder;

void kernel_lock(void)
{
	uint64_t start = read_time();
	uint32_t ticket = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_SEQ_CST);

	while (__atomic_load_n(&now_serving, __ATOMIC_SEQ_CST) != ticket) {
		wait_for_interrupt();
		if (read_time() - start > LONGEST_HOLD)
			panic("the kernel lock is not given back");
		csr_clear(sip, SIE_SSIE); /* before the next look, so that no wake-up is lost */
	}
	holder = this_hart();
}

void kernel_unlock(void)
{
	uint32_t next = now_serving + 1;

	holder = NULL;
	__atomic_store_n(&now_serving, next, __ATOMIC_SEQ_CST);
	if (__atomic_load_n(&next_ticket, __ATOMIC_SEQ_CST) != next)
		sbi_send_ipi(((1UL << MAX_HARTS) - 1) & ~(1UL << this_hart()->id));
}

bool kernel_locked(void)
{
	return __atomic_load_n(&holder, __ATOMIC_RELAXED) == this_hart();
}
