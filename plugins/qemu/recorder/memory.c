/* SPDX-License-Identifier: GPL-2.0-or-later */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harts.h"
#include "memory.h"
#include "slots.h"

#define PTE_ACCESSED_DIRTY 0xc0ull

uint8_t *ram;
uint8_t *shadow;
uint8_t *frame_flags;

int shadow_fd = -1;

static int ram_fd = -1;
static size_t ram_size;
static uint64_t *frame_compared; /* t of the last comparison of each frame */

const char *memory_open(const char *path)
{
	struct stat status;

	ram_fd = open(path, O_RDWR | O_CLOEXEC);
	if (ram_fd < 0 || fstat(ram_fd, &status) < 0)
		return "cannot open guest RAM";
	ram_size = (size_t)status.st_size;
	ram = mmap(NULL, ram_size, PROT_READ, MAP_SHARED, ram_fd, 0);
	/* The host gets it too, to compare it with RAM when QEMU has ended, however it ended. */
	shadow_fd = memfd_create("tracedbg-shadow", MFD_CLOEXEC);
	if (shadow_fd < 0 || ftruncate(shadow_fd, status.st_size) < 0)
		return "cannot make a shadow of guest RAM";
	shadow = mmap(NULL, ram_size, PROT_READ | PROT_WRITE, MAP_SHARED, shadow_fd, 0);
	frame_flags = calloc(ram_size / PAGE_SIZE + 1, 1);
	frame_compared = calloc(ram_size / PAGE_SIZE + 1, sizeof(*frame_compared));
	if (ram == MAP_FAILED || shadow == MAP_FAILED || !frame_flags || !frame_compared)
		return "cannot map guest RAM";
	return NULL;
}

/* Calls back for each frame that the file has data for; all others are zero. */
static void for_each_populated(void (*visit)(size_t offset, void *context), void *context)
{
	off_t data = 0;

	while ((data = lseek(ram_fd, data, SEEK_DATA)) >= 0) {
		off_t hole = lseek(ram_fd, data, SEEK_HOLE);

		for (size_t at = (size_t)data & ~(size_t)(PAGE_SIZE - 1); at < (size_t)hole; at += PAGE_SIZE)
			visit(at, context);
		data = hole;
	}
}

static void copy_frame(size_t offset, void *context)
{
	(void)context;
	memcpy(shadow + offset, ram + offset, PAGE_SIZE);
}

void memory_start(void)
{
	for_each_populated(copy_frame, NULL);
}

size_t ram_offset(uint64_t physical)
{
	for (uint64_t i = 0; i < shared->ram_ranges; i++) {
		if (physical - shared->ram[i].start < shared->ram[i].size)
			return physical - shared->ram[i].start + shared->ram[i].offset;
	}
	return NO_OFFSET;
}

static uint64_t physical_of_offset(size_t offset)
{
	for (uint64_t i = 0; i < shared->ram_ranges; i++) {
		if (offset - shared->ram[i].offset < shared->ram[i].size)
			return offset - shared->ram[i].offset + shared->ram[i].start;
	}
	return NEVER;
}

/* Where QEMU itself has mapped the RAM file: the mapping of its inode that is not ours. */
static const uint8_t *find_qemu_mapping(void)
{
	unsigned long start, end, offset, inode;
	struct stat status;
	char line[512];
	const uint8_t *found = NULL;
	FILE *maps = fopen("/proc/self/maps", "re");

	if (!maps || fstat(ram_fd, &status) < 0)
		return NULL;
	while (!found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx %*s %lx %*s %lu", &start, &end, &offset, &inode) != 4)
			continue;
		if (inode == status.st_ino && (uint8_t *)start - offset != ram)
			found = (uint8_t *)start - offset;
	}
	fclose(maps);
	return found;
}

uint64_t physical_of_host(const void *pointer)
{
	static const uint8_t *base;

	if (!base)
		base = find_qemu_mapping();
	if (!base || !pointer || (size_t)((const uint8_t *)pointer - base) >= ram_size)
		return NEVER;
	return physical_of_offset((size_t)((const uint8_t *)pointer - base));
}

bool is_dma_device(uint64_t physical)
{
	for (uint64_t i = 0; i < shared->dma_ranges; i++) {
		if (physical - shared->dma[i].start < shared->dma[i].size)
			return true;
	}
	return false;
}

void memory_note_dma(void)
{
	shared->dma_possible = 1;
}

void memory_change_word(size_t offset, uint32_t t, int cause, uint64_t value)
{
	/* Left as it is, the difference is found again later. */
	if (slot->count[COLUMN_ACCESSES_CHANGE_T] == shared->column[COLUMN_ACCESSES_CHANGE_T].capacity)
		return;
	APPEND(COLUMN_ACCESSES_CHANGE_T, uint32_t, t);
	APPEND(COLUMN_ACCESSES_CHANGE_SINCE, uint64_t, frame_compared[offset / PAGE_SIZE]);
	APPEND(COLUMN_ACCESSES_CHANGE_PHYSICAL, uint64_t, physical_of_offset(offset));
	APPEND(COLUMN_ACCESSES_CHANGE_VALUE, uint64_t, value);
	APPEND(COLUMN_ACCESSES_CHANGE_CAUSE, uint8_t, (uint8_t)cause);
	memcpy(shadow + offset, &value, sizeof(value));
}

static int explain(size_t offset, uint64_t old, uint64_t new)
{
	if ((frame_flags[offset / PAGE_SIZE] & FRAME_IS_PAGE_TABLE) && !((old ^ new) & ~PTE_ACCESSED_DIRTY) &&
	    (old & ~new) == 0)
		return CAUSE_PAGE_TABLE_WALK;
	return shared->dma_possible ? CAUSE_DMA : CAUSE_UNEXPLAINED;
}

void memory_compare_frame(size_t offset, uint32_t t, int cause)
{
	size_t frame = offset & ~(size_t)(PAGE_SIZE - 1);

	for (size_t at = frame; at < frame + PAGE_SIZE; at += 8) {
		uint64_t old, new;

		memcpy(&old, shadow + at, sizeof(old));
		memcpy(&new, ram + at, sizeof(new));
		if (old != new)
			memory_change_word(at, t, cause == CAUSE_UNEXPLAINED ? explain(at, old, new) : cause,
					   new);
	}
	frame_compared[frame / PAGE_SIZE] = slot->first_t + t;
}

struct comparison {
	uint64_t t;
	int cause;
};

static void compare_frame_at(size_t offset, void *context)
{
	const struct comparison *comparison = context;

	if (memcmp(shadow + offset, ram + offset, PAGE_SIZE) == 0)
		return;
	if (slot->count[COLUMN_ACCESSES_CHANGE_T] > shared->column[COLUMN_ACCESSES_CHANGE_T].capacity / 2)
		epoch_next(comparison->t);
	memory_compare_frame(offset, (uint32_t)(comparison->t - slot->first_t), comparison->cause);
}

void memory_compare_all(uint64_t t, int cause)
{
	struct comparison comparison = { .t = t, .cause = cause };

	for_each_populated(compare_frame_at, &comparison);
}
