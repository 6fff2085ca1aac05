/* Bringing up harts. */
#include "address_space.h"
#include "hart.h"
#include "plic.h"
#include "riscv.h"
#include "sbi.h"
#include "sched.h"
#include "timer.h"

struct hart harts[MAX_HARTS];

extern void trap_entry(void);
extern void _start(void);

void hart_init(uint64_t id)
{
	harts[id].id = id;
	__asm__ volatile("mv tp, %0" ::"r"(&harts[id]));
	csr_write(sscratch, 0UL);
	csr_write(stvec, (uint64_t)trap_entry);
	kernel_table_activate();
	plic_init_hart(id);
	csr_write(sie, SIE_STIE | SIE_SEIE | SIE_SSIE);
	timer_init_hart();
}

void harts_start(uint64_t boot_id)
{
	for (uint64_t id = 0; id < MAX_HARTS; id++)
		if (id != boot_id && sbi_hart_exists(id))
			sbi_start_hart(id, (paddr_t)_start, 0);
}

/* Called by _start on every hart but the first. */
_Noreturn void secondary_main(uint64_t id)
{
	hart_init(id);
	schedule_forever();
}
