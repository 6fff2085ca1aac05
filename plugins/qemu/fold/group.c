/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Puts the values of an epoch's `writes` column in the order of tracedbg/format/grouping.py. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../trace_columns.h"

#define EXPORT __attribute__((visibility("default")))
#define SEGMENT 65536u
#define RADIX_BITS 11
#define RADIX (1u << RADIX_BITS)

/* The dictionary, and an epoch's runs. */
struct runs {
	uint64_t count;
	const uint32_t *block;
	uint64_t short_count;
	const uint32_t *short_run;
	const uint16_t *short_started;
	const uint32_t *first; /* instruction of each block */
	const uint16_t *size;  /* instructions of each block */
	const uint8_t *source; /* of each instruction */
};

/* Writes the instruction of each recorded value; returns how many there are. */
static uint64_t find_keys(const struct runs *runs, uint32_t *key, uint64_t room)
{
	uint64_t found = 0, next_short = 0;

	for (uint64_t run = 0; run < runs->count; run++) {
		uint32_t first = runs->first[runs->block[run]], started = runs->size[runs->block[run]];

		if (next_short < runs->short_count && runs->short_run[next_short] == run)
			started = runs->short_started[next_short++];
		for (uint32_t insn = first; insn < first + started; insn++) {
			if (runs->source[insn] != SOURCE_RECORDED)
				continue;
			if (found < room)
				key[found] = insn;
			found++;
		}
	}
	return found;
}

static void sort_pass(const uint32_t *key, const uint32_t *from, uint32_t *to, uint32_t count,
		      unsigned int shift)
{
	uint32_t starts[RADIX + 1] = { 0 };

	for (uint32_t i = 0; i < count; i++)
		starts[(key[i] >> shift) % RADIX + 1]++;
	for (uint32_t i = 0; i < RADIX; i++)
		starts[i + 1] += starts[i];
	for (uint32_t i = 0; i < count; i++)
		to[starts[(key[from[i]] >> shift) % RADIX]++] = from[i];
}

static void group_segment(const uint32_t *key, const uint64_t *value, uint64_t *out, uint32_t count)
{
	static __thread uint32_t order[2][SEGMENT];
	uint32_t largest = 0, *now = order[0], *then = order[1];

	for (uint32_t i = 0; i < count; i++) {
		now[i] = i;
		largest = key[i] > largest ? key[i] : largest;
	}
	for (unsigned int shift = 0; shift < 32 && largest >> shift; shift += RADIX_BITS) {
		uint32_t *other = now;

		sort_pass(key, now, then, count, shift);
		now = then;
		then = other;
	}
	for (uint32_t i = 0; i < count; i++) {
		uint64_t before = i && key[now[i]] == key[now[i - 1]] ? value[now[i - 1]] : 0;

		out[i] = value[now[i]] ^ before;
	}
}

/* Groups `count` values of an epoch. Returns the number of values that its runs have, or NEVER without memory. */
EXPORT uint64_t group_writes(const struct runs *runs, uint64_t count, const uint64_t *value, uint64_t *out)
{
	uint32_t *key = malloc((count ? count : 1) * sizeof(*key));
	uint64_t found;

	if (!key)
		return NEVER;
	found = find_keys(runs, key, count);
	for (uint64_t start = 0; found == count && start < count; start += SEGMENT) {
		uint32_t length = count - start < SEGMENT ? (uint32_t)(count - start) : SEGMENT;

		group_segment(key + start, value + start, out + start, length);
	}
	free(key);
	return found;
}
