/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file of slots that the plugin fills and the host empties. Every counter lives in the file, so that the
 * host finds whatever had been recorded when QEMU is killed, and `tracedbg repair` when the host is. */
#ifndef TRACEDBG_SLOTS_H
#define TRACEDBG_SLOTS_H

#include <stdbool.h>
#include <stdint.h>

#include "../trace_columns.h"

#define SLOTS_MAGIC 0x3253544f4c534254ull
#define RANGES_MAX 32

enum slot_state { SLOT_FREE, SLOT_FILLING, SLOT_FULL };

struct range {
	uint64_t start;
	uint64_t size;
	uint64_t offset; /* in the RAM file; unused for devices */
};

struct slot {
	uint64_t state;
	uint64_t sequence;
	uint64_t first_t;
	uint64_t end_t;	    /* valid once FULL */
	uint64_t run_t;	    /* t of the first instruction of the run under way */
	uint64_t run_index; /* instructions of it that are known to have started, minus 1 */
	uint64_t count[COLUMNS];
};

struct shared {
	uint64_t magic;
	uint64_t format_version;
	uint64_t slots;
	uint64_t slot_size;
	uint64_t slots_offset;
	uint64_t columns;
	uint64_t ram_ranges;
	uint64_t dma_ranges;
	uint64_t started; /* 1 once the image has been taken */
	uint64_t harts;
	uint64_t dma_possible; /* a device that can write memory was told something */
	uint64_t vector_words; /* 8-byte words of a vector register; 0 without vectors */
	struct range ram[RANGES_MAX];
	struct range dma[RANGES_MAX];
	struct {
		uint64_t offset;   /* in a slot */
		uint64_t capacity; /* rows */
	} column[COLUMNS];
};

extern struct shared *shared;
extern struct slot *slot;
extern uint8_t *column_base[COLUMNS];

/* Maps the file and connects to the host; on failure a sentence, else NULL. */
const char *slots_open(const char *path, const char *socket_path);

/* Tells the host something and waits for its answer; hands over a descriptor if it is not negative. */
void slots_ask(char what, int descriptor);

/* Gives the slot to the host and takes the next, waiting for a free one. */
void slots_next(uint64_t end_t);

/* Gives the last slot to the host, which ends QEMU; `why` is what to tell it. */
void slots_finish(uint64_t end_t, char why);

/* True when a column has less room left than a block may need. */
bool slots_nearly_full(void);

#define COLUMN(column, type) ((type *)column_base[column])
/* Counts a row only when it has been written: QEMU may be killed in between, in a page fault for instance. */
#define SET_COUNT(column, rows) __atomic_store_n(&slot->count[column], rows, __ATOMIC_RELEASE)
#define APPEND(column, type, value)                                                                          \
	do {                                                                                                 \
		uint64_t rows_before = slot->count[column];                                                  \
		COLUMN(column, type)[rows_before] = (value);                                                 \
		SET_COUNT(column, rows_before + 1);                                                          \
	} while (0)

#endif
