/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The dictionary of translated blocks. Blocks are told apart by content, so that QEMU may translate the same code
 * as often as it likes. */
#ifndef TRACEDBG_BLOCKS_H
#define TRACEDBG_BLOCKS_H

#include "api.h"
#include "decode.h"

struct insn {
	struct decoded decoded;
	uint64_t address;
	uint32_t bits;
	uint16_t index; /* in its block */
	uint8_t length;
	bool has_callback;
};

#define NO_BLOCK UINT32_MAX

struct block {
	struct block *next;  /* of the same hash */
	struct block *alias; /* the same code at another virtual address */
	uint64_t virtual;
	uint64_t physical;
	uint64_t next_physical;
	uint32_t id; /* NO_BLOCK until its first run */
	uint16_t instructions;
	uint8_t privilege;
	bool is_alias;
	struct insn insn[];
};

/* Finds or adds the block that QEMU is translating, which runs at `privilege`. */
struct block *block_for(const struct qemu_plugin_tb *tb, uint8_t privilege);

/* The block as it runs at the virtual address `pc`: QEMU translates code that is mapped at several only once. */
struct block *block_at(struct block *block, uint64_t pc);

/* Gives the block its number and writes it to the dictionary: it is about to run for the first time. */
void block_publish(struct block *block);

#endif
