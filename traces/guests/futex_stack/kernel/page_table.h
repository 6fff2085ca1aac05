/* Sv39 page tables (RISC-V privileged specification, section 10.4). */
#ifndef PAGE_TABLE_H
#define PAGE_TABLE_H

#include "types.h"

#define PTE_V (1UL << 0)
#define PTE_R (1UL << 1)
#define PTE_W (1UL << 2)
#define PTE_X (1UL << 3)
#define PTE_U (1UL << 4)
#define PTE_A (1UL << 6)
#define PTE_D (1UL << 7)
#define PTE_LEAF (PTE_R | PTE_W | PTE_X)

#define PTES_PER_TABLE 512

typedef uint64_t pte_t;

static inline paddr_t pte_address(pte_t pte)
{
	return (pte >> 10) << 12;
}

static inline pte_t pte_make(paddr_t address, uint64_t flags)
{
	return (address >> 12) << 10 | flags | PTE_V;
}

static inline unsigned table_index(vaddr_t address, unsigned level)
{
	return (address >> (12 + 9 * level)) & (PTES_PER_TABLE - 1);
}

/* Kernel mappings: devices and RAM at their own addresses, shared by every address space. */
void kernel_table_init(void);
void kernel_table_activate(void);
void kernel_table_copy_into(pte_t *root);

/* Take one page of the bump region out of the kernel's mapping, on every hart. */
void kernel_table_unmap(paddr_t page);

#endif
