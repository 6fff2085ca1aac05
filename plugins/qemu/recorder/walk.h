/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page-table walks that the MMU makes for an access set A and D bits in memory without any callback. The recorder
 * repeats each walk that may have happened and takes the changed entry over into its shadow. */
#ifndef TRACEDBG_WALK_H
#define TRACEDBG_WALK_H

#include <stdint.h>

#define NO_TRANSLATION UINT64_MAX

enum walk_for { WALK_LOAD, WALK_STORE, WALK_FETCH };

/* Forgets which walks have been repeated: satp changed, sfence.vma, another hart, a store into a page table. */
void walk_forget(void);

/* The hart that runs has used `address` for `what`; a changed entry holds from offset t. */
void walk_repeat(uint64_t satp, uint64_t address, enum walk_for what, uint32_t t);

/* Physical address that satp's tables give for `address`, or NO_TRANSLATION. */
uint64_t walk_translate(uint64_t satp, uint64_t address);

#endif
