/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads and stores as QEMU reports them. */
#ifndef TRACEDBG_ACCESSES_H
#define TRACEDBG_ACCESSES_H

#include "api.h"
#include "blocks.h"

/* QEMU's memory callback; udata is the struct insn. */
void access_seen(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *udata);

/* Takes back the store of an sc that failed, with which QEMU writes back what it read: the last row, made at
 * offset t. */
void access_drop_store(uint32_t t);

/* Adds the stores of a cbo.zero, for which QEMU calls nothing back, unless it did. */
void access_add_zeros(uint64_t address, uint32_t t);

/* Forgets the last mapping: a new epoch starts with its own. */
void access_new_epoch(void);

extern bool recording;

#endif
