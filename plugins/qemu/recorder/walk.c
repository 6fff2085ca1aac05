/* SPDX-License-Identifier: GPL-2.0-or-later */
/* RISC-V ISA manual, volume II, 12.3 to 12.6: Sv39, Sv48 and Sv57. */
#include <stdbool.h>
#include <string.h>

#include "memory.h"
#include "slots.h"
#include "walk.h"

#define ENTRIES 512
#define PTE_V 1ull
#define PTE_RWX 0xeull
#define PPN_MASK 0xfffffffffffull

static struct {
	uint64_t key;
	uint64_t generation;
} repeated[ENTRIES];

static uint64_t generation = 1;

void walk_forget(void)
{
	generation++;
}

struct leaf {
	size_t offset; /* of the entry, in RAM */
	uint64_t entry;
	int level;
};

/* Finds the leaf entry; marks the tables on the way as such. */
static bool find_leaf(uint64_t satp, uint64_t address, struct leaf *leaf)
{
	int level = (int)(satp >> 60) - 8 + 2;
	uint64_t table = (satp & PPN_MASK) * PAGE_SIZE;

	if (level < 2 || level > 4)
		return false;
	for (; level >= 0; level--) {
		uint64_t index = (address >> (12 + 9 * level)) & 0x1ff;
		size_t offset = ram_offset(table + 8 * index);

		if (offset == NO_OFFSET)
			return false;
		frame_flags[offset / PAGE_SIZE] |= FRAME_IS_PAGE_TABLE;
		memcpy(&leaf->entry, ram + offset, sizeof(leaf->entry));
		leaf->offset = offset;
		leaf->level = level;
		if (!(leaf->entry & PTE_V))
			return false;
		if (leaf->entry & PTE_RWX)
			return true;
		table = ((leaf->entry >> 10) & PPN_MASK) * PAGE_SIZE;
	}
	return false;
}

void walk_repeat(uint64_t satp, uint64_t address, enum walk_for what, uint32_t t)
{
	uint64_t key = (address / PAGE_SIZE) << 2 | what;
	uint64_t slot_index = (address / PAGE_SIZE ^ (uint64_t)what << 7) % ENTRIES;
	struct leaf leaf;
	uint64_t believed;

	if (repeated[slot_index].key == key && repeated[slot_index].generation == generation)
		return;
	repeated[slot_index].key = key;
	repeated[slot_index].generation = generation;
	if (!find_leaf(satp, address, &leaf))
		return;
	memcpy(&believed, shadow + leaf.offset, sizeof(believed));
	if (believed != leaf.entry && !((believed ^ leaf.entry) & ~0xc0ull))
		memory_change_word(leaf.offset, t, CAUSE_PAGE_TABLE_WALK, leaf.entry);
}

uint64_t walk_translate(uint64_t satp, uint64_t address)
{
	struct leaf leaf;
	uint64_t mask;

	if (!find_leaf(satp, address, &leaf))
		return NO_TRANSLATION;
	mask = (PAGE_SIZE << (9 * leaf.level)) - 1;
	return ((((leaf.entry >> 10) & PPN_MASK) * PAGE_SIZE) & ~mask) | (address & mask);
}
