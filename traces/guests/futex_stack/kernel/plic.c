/* Platform-level interrupt controller (RISC-V PLIC specification 1.0.0). */
#include "layout.h"
#include "hart.h"
#include "plic.h"
#include "riscv.h"
#include "virtio_blk.h"

#define PRIORITY(irq) (PLIC_BASE + 4 * (irq))
#define ENABLE(context) (PLIC_BASE + 0x2000 + 0x80 * (context))
#define THRESHOLD(context) (PLIC_BASE + 0x200000 + 0x1000 * (context))
#define CLAIM(context) (THRESHOLD(context) + 4)

static uint32_t enabled;

/* Each hart of `virt` has two contexts: M-mode, then S-mode. */
static unsigned s_context(uint64_t hart_id)
{
	return (unsigned)(2 * hart_id + 1);
}

void plic_init_hart(uint64_t hart_id)
{
	mmio_write32(THRESHOLD(s_context(hart_id)), 0);
	mmio_write32(ENABLE(s_context(hart_id)), enabled);
}

void plic_enable(unsigned irq)
{
	enabled |= 1U << irq;
	mmio_write32(PRIORITY(irq), 1);
}

void plic_interrupt(void)
{
	paddr_t claim = CLAIM(s_context(this_hart()->id));
	uint32_t irq;

	while ((irq = mmio_read32(claim)) != 0) {
		virtio_blk_interrupt(irq);
		mmio_write32(claim, irq);
	}
}
