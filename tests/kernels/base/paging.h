/* Sv39 tables of 4 KiB pages, reached through the kernel's own map of RAM. */
#ifndef PAGING_H
#define PAGING_H

#include "riscv.h"

#define USER_TEXT 0x40000000UL
#define USER_DATA 0x40010000UL
#define USER_STACK 0x401ff000UL
#define PTE_USER_TEXT (PTE_V | PTE_R | PTE_X | PTE_U | PTE_AD)
#define PTE_USER_DATA (PTE_V | PTE_R | PTE_W | PTE_U | PTE_AD)

/* Returns a root that maps the kernel as boot_root does. */
uint64_t space_create(void);
/* The same, with the user's text and a stack page. */
uint64_t space_create_user(void);
/* Returns the leaf entry, with page tables made on the way. */
uint64_t *space_entry(uint64_t root, uint64_t virtual);
void space_map(uint64_t root, uint64_t virtual, uint64_t physical, uint64_t flags);
void space_use(uint64_t root);

#endif
