/* What C has no words for, and the few types and layouts that every kernel here shares. */
#ifndef RISCV_H
#define RISCV_H

#include <stddef.h>
#include <stdint.h>

#define PAGE 4096UL
#define RAM_START 0x80000000UL

#define SSTATUS_SPIE (1UL << 5)
#define SSTATUS_SPP (1UL << 8)
#define SSTATUS_SUM (1UL << 18)
#define SIP_SOFTWARE (1UL << 1)
#define SIE_TIMER (1UL << 5)
#define INTERRUPT (1UL << 63)
#define SATP_SV39 (8UL << 60)
#define CAUSE_USER_ECALL 8
#define CAUSE_LOAD_PAGE_FAULT 13
#define CAUSE_STORE_PAGE_FAULT 15

#define PTE_V 1UL
#define PTE_R 2UL
#define PTE_W 4UL
#define PTE_X 8UL
#define PTE_U 16UL
#define PTE_AD 0xc0UL
#define PTE_OF(physical, flags) (((uint64_t)(physical) >> 12 << 10) | (flags))
#define PTE_PHYSICAL(entry) ((entry) >> 10 << 12)

#define csr_read(csr)                                                                                        \
	({                                                                                                   \
		uint64_t value_;                                                                             \
		__asm__ volatile("csrr %0, " #csr : "=r"(value_)::"memory");                                 \
		value_;                                                                                      \
	})
#define csr_write(csr, value) __asm__ volatile("csrw " #csr ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_set(csr, bits) __asm__ volatile("csrs " #csr ", %0" ::"r"((uint64_t)(bits)) : "memory")
#define csr_clear(csr, bits) __asm__ volatile("csrc " #csr ", %0" ::"r"((uint64_t)(bits)) : "memory")
#define NOINLINE __attribute__((noinline, noclone))

#endif
