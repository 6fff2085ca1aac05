#include "kernel.h"

#define SSTATUS_SIE (1UL << 1)

static struct hart harts[HARTS];

struct hart *this_hart(void)
{
	return &harts[hart_number()];
}

void interrupts_off(void)
{
	uint64_t before = csr_read(sstatus);
	csr_clear(sstatus, SSTATUS_SIE);
	if (this_hart()->off_depth++ == 0)
		this_hart()->was_on = (before & SSTATUS_SIE) != 0;
}

void interrupts_restore(void)
{
	if (--this_hart()->off_depth == 0 && this_hart()->was_on)
		csr_set(sstatus, SSTATUS_SIE);
}

/* QEMU, where it counts instructions, runs a hart until the next clock is due or the hart waits. */
void let_others_run(void)
{
#ifndef MACHINE_CLOCK
	csr_write(0x14d, csr_read(time) + 100); /* stimecmp */
	__asm__ volatile("wfi");
#endif
}

void acquire(struct lock *lock)
{
	interrupts_off();
	while (__sync_lock_test_and_set(&lock->is_held, 1))
		let_others_run();
	__sync_synchronize();
}

void release(struct lock *lock)
{
	__sync_synchronize();
	__sync_lock_release(&lock->is_held);
	interrupts_restore();
}
