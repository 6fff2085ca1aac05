/* Machine mode: hands everything to supervisor mode, but for the clock where MACHINE_CLOCK is set. */
#include "kernel.h"

#define CLINT_COMPARE(hart) (0x2004000UL + 8 * (hart))
#define CLINT_TIME 0x200bff8UL

static volatile int is_set_up;
static uint64_t clock_scratch[HARTS][5];

void clock_vector(void);

static void start_clock(unsigned long hart)
{
#ifdef MACHINE_CLOCK
	*(volatile uint64_t *)CLINT_COMPARE(hart) = *(volatile uint64_t *)CLINT_TIME + TICK;
	clock_scratch[hart][2] = CLINT_COMPARE(hart);
	clock_scratch[hart][3] = TICK;
	csr_write(mscratch, clock_scratch[hart]);
	csr_write(mtvec, clock_vector);
	csr_set(mstatus, 1 << 3);
	csr_set(mie, 1 << 7);
#else
	(void)hart, (void)clock_scratch;
	csr_set(0x30a, 1UL << 63); /* menvcfg.STCE */
	csr_set(mcounteren, 2);
	csr_write(0x14d, csr_read(time) + TICK); /* stimecmp */
#endif
}

static void kernel_start(void)
{
	if (hart_number() == 0) {
		kernel_space_create();
		kernel_space_use();
		traps_use();
		first_process_create();
		__sync_synchronize();
		is_set_up = 1;
	} else {
		while (!is_set_up)
			let_others_run();
		kernel_space_use();
		traps_use();
	}
	schedule();
}

void machine_start(void)
{
	csr_write(mstatus, (csr_read(mstatus) & ~(3UL << 11)) | 1UL << 11);
	csr_write(mepc, kernel_start);
	csr_write(satp, 0);
	csr_write(medeleg, 0xffff);
	csr_write(mideleg, 0xffff);
	csr_write(sie, 0x222);
	csr_write(pmpaddr0, -1UL >> 10);
	csr_write(pmpcfg0, 0xf);
	start_clock(hart_number());
	__asm__ volatile("mret");
}
