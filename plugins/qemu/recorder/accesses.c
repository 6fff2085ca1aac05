/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "accesses.h"
#include "harts.h"
#include "memory.h"
#include "walk.h"

#define CACHE_BLOCK 64

bool recording;

static uint64_t last_delta;

void access_new_epoch(void)
{
	last_delta = 0;
}

static void append(uint32_t t, uint8_t flags, uint64_t address, uint64_t value, uint64_t physical)
{
	uint64_t n = slot->count[COLUMN_ACCESSES_T];
	uint64_t delta = physical - address;

	/* A mapping row of delta zero at the start of an epoch goes without saying. */
	if (delta != last_delta) {
		APPEND(COLUMN_ACCESSES_MAPPING_ACCESS, uint32_t, (uint32_t)n);
		APPEND(COLUMN_ACCESSES_MAPPING_DELTA, uint64_t, delta);
		last_delta = delta;
	}
	COLUMN(COLUMN_ACCESSES_T, uint32_t)[n] = t;
	COLUMN(COLUMN_ACCESSES_FLAGS, uint8_t)[n] = flags;
	COLUMN(COLUMN_ACCESSES_VIRTUAL, uint64_t)[n] = address;
	COLUMN(COLUMN_ACCESSES_VALUE, uint64_t)[n] = value;
	slot->count[COLUMN_ACCESSES_FLAGS] = n + 1;
	slot->count[COLUMN_ACCESSES_VIRTUAL] = n + 1;
	slot->count[COLUMN_ACCESSES_VALUE] = n + 1;
	SET_COUNT(COLUMN_ACCESSES_T, n + 1);
}

/* Applies a store to the shadow, or checks that a load brought what the shadow holds. */
static inline void reconcile(size_t offset, const void *value, size_t size, bool store, uint32_t t)
{
	if (store) {
		if (frame_flags[offset / PAGE_SIZE] & FRAME_IS_PAGE_TABLE)
			walk_forget();
		memcpy(shadow + offset, value, size);
		return;
	}
	if (memcmp(shadow + offset, value, size) == 0)
		return;
	memory_compare_frame(offset, t, CAUSE_UNEXPLAINED);
	if (memcmp(shadow + offset, value, size) == 0)
		return;
	/* RAM went on changing after the load: what the load brought was true at its t. */
	for (size_t at = offset & ~(size_t)7; at < offset + size; at += 8) {
		uint8_t word[8];

		memcpy(word, shadow + at, sizeof(word));
		for (size_t i = 0; i < sizeof(word); i++) {
			if (at + i >= offset && at + i < offset + size)
				word[i] = ((const uint8_t *)value)[at + i - offset];
		}
		uint64_t changed;

		memcpy(&changed, word, sizeof(changed));
		memory_change_word(at, t, CAUSE_DMA, changed);
	}
}

static int kind_of(uint64_t physical, bool device)
{
	if (device)
		return KIND_DEVICE;
	return ram_offset(physical) == NO_OFFSET ? KIND_OTHER_MEMORY : KIND_RAM;
}

static void cross_page(qemu_plugin_meminfo_t info, uint64_t address, size_t size, const uint8_t *value,
		       bool store, uint32_t t)
{
	uint64_t second = (address & ~(uint64_t)(PAGE_SIZE - 1)) + PAGE_SIZE;
	const struct qemu_plugin_hwaddr *hw = qemu_plugin_get_hwaddr(info, second);
	uint64_t physical = hw ? qemu_plugin_hwaddr_phys_addr(hw) : NEVER;
	size_t offset = physical == NEVER ? NO_OFFSET : ram_offset(physical);

	APPEND(COLUMN_ACCESSES_CROSSING_ACCESS, uint32_t, (uint32_t)(slot->count[COLUMN_ACCESSES_T] - 1));
	APPEND(COLUMN_ACCESSES_CROSSING_PHYSICAL, uint64_t, physical);
	if (offset != NO_OFFSET)
		reconcile(offset, value + (second - address), size - (second - address), store, t);
	if (hart->data_translated)
		walk_repeat(hart->csr[REGISTER_SATP], second, store ? WALK_STORE : WALK_LOAD, t + 1);
}

static void record(qemu_plugin_meminfo_t info, uint64_t address, uint64_t value, unsigned int shift,
		   bool store)
{
	const struct qemu_plugin_hwaddr *hw = qemu_plugin_get_hwaddr(info, address);
	uint64_t physical = hw ? qemu_plugin_hwaddr_phys_addr(hw) : address;
	int kind = kind_of(physical, hw && qemu_plugin_hwaddr_is_io(hw));
	uint32_t t = offset_of(slot->run_t + slot->run_index);
	size_t size = (size_t)1 << shift;
	size_t in_page = PAGE_SIZE - (address & (PAGE_SIZE - 1));
	uint8_t flags = (uint8_t)(shift | kind << ACCESS_KIND_SHIFT);

	if (store)
		flags |= ACCESS_STORE;
	if (hart->mprv)
		flags |= ACCESS_MPRV;
	if (hart->data_translated)
		walk_repeat(hart->csr[REGISTER_SATP], address, store ? WALK_STORE : WALK_LOAD, t + 1);
	append(t, flags, address, value, physical);
	if (kind == KIND_RAM)
		reconcile(ram_offset(physical), &value, size < in_page ? size : in_page, store, t);
	else if (kind == KIND_DEVICE && store && is_dma_device(physical))
		memory_note_dma();
	if (size > in_page)
		cross_page(info, address, size, (const uint8_t *)&value, store, t);
}

void access_seen(unsigned int vcpu, qemu_plugin_meminfo_t info, uint64_t address, void *udata)
{
	qemu_plugin_mem_value value;
	bool store;

	(void)vcpu;
	(void)udata;
	if (!recording)
		return;
	value = qemu_plugin_mem_get_value(info);
	store = qemu_plugin_mem_is_store(info);
	hart->accesses++;
	switch (value.type) {
	case QEMU_PLUGIN_MEM_VALUE_U8:
		record(info, address, value.data.u8, 0, store);
		break;
	case QEMU_PLUGIN_MEM_VALUE_U16:
		record(info, address, value.data.u16, 1, store);
		break;
	case QEMU_PLUGIN_MEM_VALUE_U32:
		record(info, address, value.data.u32, 2, store);
		break;
	case QEMU_PLUGIN_MEM_VALUE_U64:
		record(info, address, value.data.u64, 3, store);
		break;
	case QEMU_PLUGIN_MEM_VALUE_U128:
		record(info, address, value.data.u128.low, 3, store);
		record(info, address + 8, value.data.u128.high, 3, store);
		break;
	}
}

void access_drop_store(uint32_t t)
{
	uint64_t n = slot->count[COLUMN_ACCESSES_T];

	if (n < 2 || COLUMN(COLUMN_ACCESSES_T, uint32_t)[n - 1] != t ||
	    !(COLUMN(COLUMN_ACCESSES_FLAGS, uint8_t)[n - 1] & ACCESS_STORE))
		return;
	/* QEMU fails an sc.w after an lr.d of a value that has bit 31 set, and stores nevertheless. */
	if (COLUMN(COLUMN_ACCESSES_VALUE, uint64_t)[n - 1] != COLUMN(COLUMN_ACCESSES_VALUE, uint64_t)[n - 2])
		return;
	uint64_t mappings = slot->count[COLUMN_ACCESSES_MAPPING_ACCESS];

	/* The mapping row that the store brought stays true for an access that follows only if it is renumbered. */
	if (mappings && COLUMN(COLUMN_ACCESSES_MAPPING_ACCESS, uint32_t)[mappings - 1] == n - 1) {
		slot->count[COLUMN_ACCESSES_MAPPING_ACCESS] = mappings - 1;
		slot->count[COLUMN_ACCESSES_MAPPING_DELTA] = mappings - 1;
		last_delta = mappings > 1 ? COLUMN(COLUMN_ACCESSES_MAPPING_DELTA, uint64_t)[mappings - 2] : 0;
	}
	slot->count[COLUMN_ACCESSES_FLAGS] = n - 1;
	slot->count[COLUMN_ACCESSES_VIRTUAL] = n - 1;
	slot->count[COLUMN_ACCESSES_VALUE] = n - 1;
	slot->count[COLUMN_ACCESSES_T] = n - 1;
}

void access_add_zeros(uint64_t address, uint32_t t)
{
	uint64_t physical = address;
	size_t offset;

	if (hart->data_translated)
		physical = walk_translate(hart->csr[REGISTER_SATP], address);
	if (physical == NO_TRANSLATION || hart->accesses)
		return;
	offset = ram_offset(physical);
	if (offset == NO_OFFSET)
		return;
	if (hart->data_translated)
		walk_repeat(hart->csr[REGISTER_SATP], address, WALK_STORE, t + 1);
	for (unsigned int i = 0; i < CACHE_BLOCK; i += 8) {
		uint64_t zero = 0;

		append(t, 3 | ACCESS_STORE | KIND_RAM << ACCESS_KIND_SHIFT, address + i, 0, physical + i);
		reconcile(offset + i, &zero, sizeof(zero), true, t);
	}
}
