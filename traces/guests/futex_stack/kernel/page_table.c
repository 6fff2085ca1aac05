/* The kernel's own mappings, which stand in every address space. */
#include "bump.h"
#include "layout.h"
#include "page_table.h"
#include "riscv.h"
#include "sbi.h"

#define MEGAPAGE (1UL << 21)
#define KERNEL_RW (PTE_R | PTE_W | PTE_A | PTE_D)
#define KERNEL_RWX (KERNEL_RW | PTE_X)

static pte_t *root;
static pte_t *bump_table; /* single pages, so that one of them can be taken out */

void kernel_table_init(void)
{
	pte_t *ram = (pte_t *)bump_alloc(1);

	root = (pte_t *)bump_alloc(1);
	bump_table = (pte_t *)bump_alloc(1);
	root[table_index(0, 2)] = pte_make(0, KERNEL_RW); /* devices, one gigapage */
	root[table_index(RAM_BASE, 2)] = pte_make((paddr_t)ram, 0);
	for (paddr_t page = KERNEL_BASE; page < RAM_END; page += MEGAPAGE)
		ram[table_index(page, 1)] = pte_make(page, page == KERNEL_BASE ? KERNEL_RWX : KERNEL_RW);
	ram[table_index(BUMP_BASE, 1)] = pte_make((paddr_t)bump_table, 0);
	for (paddr_t page = BUMP_BASE; page < BUMP_BASE + MEGAPAGE; page += PAGE_SIZE)
		bump_table[table_index(page, 0)] = pte_make(page, KERNEL_RW);
}

void kernel_table_activate(void)
{
	csr_write(satp, SATP_SV39 | (paddr_t)root >> 12);
	tlb_flush();
}

void kernel_table_copy_into(pte_t *other)
{
	other[table_index(0, 2)] = root[table_index(0, 2)];
	other[table_index(RAM_BASE, 2)] = root[table_index(RAM_BASE, 2)];
}

void kernel_table_unmap(paddr_t page)
{
	bump_table[table_index(page, 0)] = 0;
	tlb_flush();
	sbi_remote_sfence_vma(page, PAGE_SIZE);
}
