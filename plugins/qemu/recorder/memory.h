/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the recorder knows of guest RAM: a shadow that every store is applied to, so that a change made by anything
 * else is noticed at the first load that sees it. */
#ifndef TRACEDBG_MEMORY_H
#define TRACEDBG_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE_SIZE 4096ull
#define NO_OFFSET SIZE_MAX

enum frame_flag { FRAME_IS_PAGE_TABLE = 1 };

extern uint8_t *ram;	/* guest RAM, as QEMU has it */
extern uint8_t *shadow; /* as the recorder believes it to be */
extern int shadow_fd;
extern uint8_t *frame_flags; /* by offset in RAM / PAGE_SIZE */

/* Maps the RAM file; on failure a sentence, else NULL. */
const char *memory_open(const char *path);

/* Copies RAM into the shadow, when the host has said which physical ranges it is. */
void memory_start(void);

/* Offset in the RAM file of a physical address, or NO_OFFSET. */
size_t ram_offset(uint64_t physical);

/* Physical address of a host pointer into QEMU's RAM, or NEVER. */
uint64_t physical_of_host(const void *pointer);

/* True when physical is in a device that can write guest memory by itself. */
bool is_dma_device(uint64_t physical);

/* Notes that such a device was told something: from now on it may explain changes. */
void memory_note_dma(void);

/* Brings the frame's shadow up to date with RAM and lists what differed, as known to hold from offset t. */
void memory_compare_frame(size_t offset, uint32_t t, int cause);

/* The same for all RAM; gives full slots away while it goes. */
void memory_compare_all(uint64_t t, int cause);

/* Lists the eight bytes at `offset` (a multiple of 8) as changed to what RAM holds now. */
void memory_change_word(size_t offset, uint32_t t, int cause, uint64_t value);

#endif
