/* User address spaces: one root table for each process, user pages in gigabyte 1. */
#ifndef ADDRESS_SPACE_H
#define ADDRESS_SPACE_H

#include "page_table.h"
#include "types.h"

struct address_space {
	pte_t *root;
	unsigned users; /* tasks that run in it; 0 means the slot is free */
};

/* NULL when no memory is left. */
struct address_space *address_space_create(void);

/* A copy of a process: read-only pages are shared, writable ones copied. */
struct address_space *address_space_fork(const struct address_space *parent);

void address_space_put(struct address_space *space);

/* Go over to the kernel's own table, then drop `space`, in which this hart was running. */
void address_space_leave(struct address_space *space);

void address_space_activate(const struct address_space *space);

/* Map a new frame, contents undefined, for user mode at `page`; 0 when no memory is left. */
paddr_t address_space_add_page(struct address_space *space, vaddr_t page, uint64_t flags);

/* Physical address behind a user address whose mapping allows `flags`, or 0. */
paddr_t address_space_translate(const struct address_space *space, vaddr_t address, uint64_t flags);

#endif
