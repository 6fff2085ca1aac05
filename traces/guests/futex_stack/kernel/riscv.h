/* Control and status registers of S-mode, and the few instructions C has no words for. */
#ifndef RISCV_H
#define RISCV_H

#include "types.h"

#define SSTATUS_SIE (1UL << 1)
#define SSTATUS_SPIE (1UL << 5)
#define SSTATUS_SPP (1UL << 8)

#define SIE_SSIE (1UL << 1)
#define SIE_STIE (1UL << 5)
#define SIE_SEIE (1UL << 9)

#define SCAUSE_INTERRUPT (1UL << 63)
#define IRQ_SOFTWARE 1
#define IRQ_TIMER 5
#define IRQ_EXTERNAL 9
#define CAUSE_USER_ECALL 8

#define SATP_SV39 (8UL << 60)

#define csr_read(csr)                                                                                        \
	({                                                                                                   \
		uint64_t value_;                                                                             \
		__asm__ volatile("csrr %0, " #csr : "=r"(value_));                                           \
		value_;                                                                                      \
	})
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"(value) : "memory")
#define csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" ::"r"(bits) : "memory")
#define csr_clear(csr, bits) __asm__ volatile("csrc " #csr ", %0" ::"r"(bits) : "memory")

static inline uint64_t read_time(void)
{
	uint64_t value;
	__asm__ volatile("rdtime %0" : "=r"(value));
	return value;
}

static inline void irq_enable(void)
{
	csr_set(sstatus, SSTATUS_SIE);
}

static inline void irq_disable(void)
{
	csr_clear(sstatus, SSTATUS_SIE);
}

/* Disable interrupts and return what irq_restore needs. */
static inline uint64_t irq_save(void)
{
	uint64_t before;
	__asm__ volatile("csrrc %0, sstatus, %1" : "=r"(before) : "r"(SSTATUS_SIE) : "memory");
	return before & SSTATUS_SIE;
}

static inline void irq_restore(uint64_t saved)
{
	csr_set(sstatus, saved);
}

static inline void wait_for_interrupt(void)
{
	__asm__ volatile("wfi" ::: "memory");
}

static inline void tlb_flush(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
}

static inline void memory_barrier(void)
{
	__asm__ volatile("fence iorw, iorw" ::: "memory");
}

static inline uint32_t mmio_read32(paddr_t address)
{
	return *(volatile uint32_t *)address;
}

static inline void mmio_write32(paddr_t address, uint32_t value)
{
	*(volatile uint32_t *)address = value;
}

#endif
