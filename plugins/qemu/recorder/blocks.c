/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "blocks.h"
#include "memory.h"
#include "slots.h"

#define HASH_BITS 16
#define INSNS_MAX 4096

static struct block *buckets[1 << HASH_BITS];
static uint32_t known;

/* Reads what QEMU knows of the instruction; its bytes come as memory has them, lowest address first. */
static void read_insn(struct insn *insn, const struct qemu_plugin_insn *source, uint16_t index)
{
	memset(insn, 0, sizeof(*insn));
	insn->address = qemu_plugin_insn_vaddr(source);
	insn->length = (uint8_t)qemu_plugin_insn_size(source);
	insn->index = index;
	qemu_plugin_insn_data(source, &insn->bits, insn->length < 4 ? insn->length : 4);
}

static void read_physical(struct block *block, const struct qemu_plugin_tb *tb)
{
	uint64_t page = block->virtual / PAGE_SIZE;

	block->physical = physical_of_host(qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, 0)));
	block->next_physical = NEVER;
	for (uint16_t i = 0; i < block->instructions; i++) {
		if (block->insn[i].address / PAGE_SIZE == page)
			continue;
		uint64_t physical = physical_of_host(qemu_plugin_insn_haddr(qemu_plugin_tb_get_insn(tb, i)));

		if (physical != NEVER)
			block->next_physical = physical & ~(uint64_t)(PAGE_SIZE - 1);
		break;
	}
	/* Machine mode without translation runs boot ROM at its physical address. */
	if (block->physical == NEVER && block->privilege == 3)
		block->physical = block->virtual;
}

static uint32_t hash(const struct block *block)
{
	uint64_t h = block->virtual * 0x9e3779b97f4a7c15ull ^ block->physical * 0xc2b2ae3d27d4eb4full ^
		     block->privilege;

	for (uint16_t i = 0; i < block->instructions; i++)
		h = (h ^ block->insn[i].bits) * 0x100000001b3ull;
	return (uint32_t)(h >> (64 - HASH_BITS));
}

static bool same(const struct block *a, const struct block *b)
{
	if (a->virtual != b->virtual || a->physical != b->physical || a->next_physical != b->next_physical ||
	    a->privilege != b->privilege || a->instructions != b->instructions)
		return false;
	for (uint16_t i = 0; i < a->instructions; i++) {
		if (a->insn[i].bits != b->insn[i].bits || a->insn[i].length != b->insn[i].length)
			return false;
	}
	return true;
}

/* A callback is needed where the block may end, and where the instruction before has left something to read. */
static void place_callbacks(struct block *block)
{
	for (uint16_t i = 0; i < block->instructions; i++) {
		struct insn *insn = &block->insn[i];
		const struct decoded *before = i ? &insn[-1].decoded : NULL;

		insn->decoded = decode(insn->bits, insn->length, insn->address);
		insn->has_callback = i == 0 || i == block->instructions - 1 ||
				     (insn->decoded.traits & MAY_TRAP) || before->source == SOURCE_RECORDED ||
				     (before->traits & SPECIAL);
	}
}

void block_publish(struct block *block)
{
	block->id = known++;
	APPEND(COLUMN_BLOCKS_VIRTUAL, uint64_t, block->virtual);
	APPEND(COLUMN_BLOCKS_PHYSICAL, uint64_t, block->physical);
	APPEND(COLUMN_BLOCKS_NEXT_PHYSICAL, uint64_t, block->next_physical);
	APPEND(COLUMN_BLOCKS_PRIVILEGE, uint8_t, block->privilege);
	for (uint16_t i = 0; i < block->instructions; i++) {
		const struct insn *insn = &block->insn[i];

		APPEND(COLUMN_BLOCKS_INSN_LENGTH, uint8_t, insn->length);
		APPEND(COLUMN_BLOCKS_INSN_DESTINATION, uint8_t,
		       insn->decoded.source == SOURCE_NONE ? 0 : insn->decoded.rd);
		APPEND(COLUMN_BLOCKS_INSN_SOURCE, uint8_t,
		       insn->decoded.traits & IS_UNKNOWN ? SOURCE_ANY : insn->decoded.source);
		for (int byte = 0; byte < insn->length; byte++)
			APPEND(COLUMN_BLOCKS_INSN_BYTES, uint8_t, (uint8_t)(insn->bits >> (8 * byte)));
		if (insn->decoded.source == SOURCE_CONSTANT)
			APPEND(COLUMN_BLOCKS_INSN_CONSTANT, uint64_t, insn->decoded.constant);
	}
	/* Last, for a reader that counts entries by it. */
	APPEND(COLUMN_BLOCKS_INSTRUCTIONS, uint16_t, block->instructions);
}

static struct block *copy(const struct block *block)
{
	size_t size = sizeof(*block) + block->instructions * sizeof(struct insn);
	struct block *made = malloc(size);

	if (!made)
		abort();
	memcpy(made, block, size);
	made->id = NO_BLOCK;
	return made;
}

struct block *block_at(struct block *block, uint64_t pc)
{
	struct block *found;

	for (found = block; found; found = found->alias) {
		if (found->virtual == pc)
			return found;
	}
	found = copy(block);
	found->virtual = pc;
	found->is_alias = true;
	for (uint16_t i = 0; i < found->instructions; i++)
		found->insn[i].address += pc - block->virtual;
	place_callbacks(found);
	found->alias = block->alias;
	block->alias = found;
	return found;
}

struct block *block_for(const struct qemu_plugin_tb *tb, uint8_t privilege)
{
	static union {
		struct block block;
		uint8_t room[sizeof(struct block) + INSNS_MAX * sizeof(struct insn)];
	} scratch;
	struct block *candidate = &scratch.block, *found;
	size_t count = qemu_plugin_tb_n_insns(tb);

	memset(candidate, 0, sizeof(*candidate));
	candidate->instructions = (uint16_t)(count < INSNS_MAX ? count : INSNS_MAX);
	candidate->privilege = privilege;
	for (uint16_t i = 0; i < candidate->instructions; i++)
		read_insn(&candidate->insn[i], qemu_plugin_tb_get_insn(tb, i), i);
	candidate->virtual = candidate->insn[0].address;
	read_physical(candidate, tb);

	struct block **bucket = &buckets[hash(candidate)];

	for (found = *bucket; found; found = found->next) {
		if (same(found, candidate))
			return found;
	}
	place_callbacks(candidate);
	found = copy(candidate);
	found->next = *bucket;
	*bucket = found;
	return found;
}
