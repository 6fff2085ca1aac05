/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folds the stores of epochs into spans: which bytes each span wrote, and what it left in them. A library for the
 * recording host, without dependence on QEMU. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../trace_columns.h"

#define EXPORT __attribute__((visibility("default")))
#define PAGE 4096u
#define LEVELS 5

struct page {
	struct page *next; /* of the same hash */
	uint64_t frame;
	uint8_t *content;	   /* NULL until a byte is written */
	uint8_t (*mask)[PAGE / 8]; /* bytes written, by level */
	uint64_t lines[LEVELS];	   /* lines loaded, by level */
	uint8_t written;	   /* a bit for each level */
	uint8_t loaded;
};

struct list {
	struct page **pages;
	size_t count, room;
};

struct fold {
	struct page **buckets;
	size_t bucket_count, page_count;
	struct page *recent;
	struct list written[LEVELS], loaded[LEVELS];
	bool failed; /* out of memory */
};

/* One epoch's columns, named as in the schema. */
struct epoch {
	uint64_t accesses;
	const uint32_t *t;
	const uint8_t *flags;
	const uint64_t *virtual, *value;
	uint64_t mappings;
	const uint32_t *mapping_access;
	const uint64_t *mapping_delta;
	uint64_t crossings;
	const uint32_t *crossing_access;
	const uint64_t *crossing_physical;
	uint64_t changes;
	const uint32_t *change_t;
	const uint64_t *change_physical, *change_value;
};

static size_t hash(const struct fold *fold, uint64_t frame)
{
	return (size_t)(frame * 0x9e3779b97f4a7c15ull >> 20) & (fold->bucket_count - 1);
}

static void grow(struct fold *fold)
{
	size_t old_count = fold->bucket_count;
	struct page **old = fold->buckets;
	struct page **new = calloc(old_count * 4, sizeof(*new));

	if (!new)
		return;
	fold->buckets = new;
	fold->bucket_count = old_count * 4;
	for (size_t i = 0; i < old_count; i++) {
		for (struct page *page = old[i], *next; page; page = next) {
			struct page **bucket = &new[hash(fold, page->frame)];

			next = page->next;
			page->next = *bucket;
			*bucket = page;
		}
	}
	free(old);
}

static struct page *page_at(struct fold *fold, uint64_t physical)
{
	uint64_t frame = physical / PAGE;
	struct page *page = fold->recent;

	if (page && page->frame == frame)
		return page;
	for (page = fold->buckets[hash(fold, frame)]; page; page = page->next) {
		if (page->frame == frame)
			return fold->recent = page;
	}
	if (fold->page_count > fold->bucket_count)
		grow(fold);
	page = calloc(1, sizeof(*page));
	if (!page) {
		fold->failed = true;
		return NULL;
	}
	page->frame = frame;
	page->next = fold->buckets[hash(fold, frame)];
	fold->buckets[hash(fold, frame)] = page;
	fold->page_count++;
	return fold->recent = page;
}

static void list_add(struct fold *fold, struct list *list, struct page *page)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 1024;
		struct page **pages = realloc(list->pages, room * sizeof(*pages));

		if (!pages) {
			fold->failed = true;
			return;
		}
		list->pages = pages;
		list->room = room;
	}
	list->pages[list->count++] = page;
}

static bool make_writable(struct fold *fold, struct page *page)
{
	if (page->content)
		return true;
	page->content = calloc(1, PAGE + LEVELS * (PAGE / 8));
	if (!page->content) {
		fold->failed = true;
		return false;
	}
	page->mask = (uint8_t(*)[PAGE / 8])(page->content + PAGE);
	return true;
}

static void write_part(struct fold *fold, uint64_t physical, const uint8_t *bytes, unsigned int size)
{
	struct page *page = page_at(fold, physical);
	unsigned int at = physical % PAGE;
	uint32_t bits;

	if (!page || !make_writable(fold, page))
		return;
	if (!(page->written & 1)) {
		page->written |= 1;
		list_add(fold, &fold->written[0], page);
	}
	memcpy(page->content + at, bytes, size);
	bits = ((1u << size) - 1) << (at % 8);
	page->mask[0][at / 8] |= (uint8_t)bits;
	if (bits >> 8)
		page->mask[0][at / 8 + 1] |= (uint8_t)(bits >> 8);
}

static void load_part(struct fold *fold, uint64_t physical, unsigned int size)
{
	struct page *page = page_at(fold, physical);

	if (!page)
		return;
	if (!(page->loaded & 1)) {
		page->loaded |= 1;
		list_add(fold, &fold->loaded[0], page);
	}
	page->lines[0] |= 1ull << (physical % PAGE / 64);
	page->lines[0] |= 1ull << ((physical + size - 1) % PAGE / 64);
}

static void access_part(struct fold *fold, uint8_t flags, uint64_t physical, const uint8_t *bytes,
			unsigned int size)
{
	unsigned int kind = (flags & ACCESS_KIND_MASK) >> ACCESS_KIND_SHIFT;

	/* Boot ROM and flash do not take stores as memory does; what a load brings is known from then on. */
	if (!(flags & ACCESS_STORE) == (kind == KIND_OTHER_MEMORY))
		write_part(fold, physical, bytes, size);
	if (!(flags & ACCESS_STORE))
		load_part(fold, physical, size);
}

EXPORT struct fold *fold_new(void)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (!fold)
		return NULL;
	fold->bucket_count = 1 << 12;
	fold->buckets = calloc(fold->bucket_count, sizeof(struct page *));
	if (!fold->buckets) {
		free(fold);
		return NULL;
	}
	return fold;
}

EXPORT void fold_free(struct fold *fold)
{
	for (size_t i = 0; i < fold->bucket_count; i++) {
		for (struct page *page = fold->buckets[i], *next; page; page = next) {
			next = page->next;
			free(page->content);
			free(page);
		}
	}
	for (int level = 0; level < LEVELS; level++) {
		free(fold->written[level].pages);
		free(fold->loaded[level].pages);
	}
	free(fold->buckets);
	free(fold);
}

/* Applies an epoch to level 0. Returns 0, or 1 when memory ran out. */
EXPORT int fold_epoch(struct fold *fold, const struct epoch *e)
{
	uint64_t mapping = 0, crossing = 0, change = 0, delta = 0;

	for (uint64_t i = 0; i < e->accesses; i++) {
		while (mapping < e->mappings && e->mapping_access[mapping] <= i)
			delta = e->mapping_delta[mapping++];
		for (; change < e->changes && e->change_t[change] <= e->t[i]; change++)
			write_part(fold, e->change_physical[change],
				   (const uint8_t *)&e->change_value[change], 8);

		uint8_t flags = e->flags[i];
		unsigned int size = 1u << (flags & ACCESS_SIZE_MASK);
		uint64_t physical = e->virtual[i] + delta;
		const uint8_t *bytes = (const uint8_t *)&e->value[i];
		bool crosses = crossing < e->crossings && e->crossing_access[crossing] == i;

		if ((flags & ACCESS_KIND_MASK) >> ACCESS_KIND_SHIFT != KIND_DEVICE) {
			unsigned int first = crosses ? (unsigned int)(PAGE - physical % PAGE) : size;

			access_part(fold, flags, physical, bytes, first);
			if (crosses && e->crossing_physical[crossing] != NEVER)
				access_part(fold, flags, e->crossing_physical[crossing], bytes + first,
					    size - first);
		}
		crossing += crosses;
	}
	for (; change < e->changes; change++)
		write_part(fold, e->change_physical[change], (const uint8_t *)&e->change_value[change], 8);
	return fold->failed;
}

static int by_frame(const void *a, const void *b)
{
	uint64_t x = (*(struct page *const *)a)->frame, y = (*(struct page *const *)b)->frame;

	return (x > y) - (x < y);
}

/* Sorts a level's lists; tells how many frames and bytes were written and how many frames loaded from. */
EXPORT void fold_measure(struct fold *fold, int level, uint64_t *frames, uint64_t *bytes, uint64_t *loaded)
{
	struct list *written = &fold->written[level];

	qsort(written->pages, written->count, sizeof(struct page *), by_frame);
	qsort(fold->loaded[level].pages, fold->loaded[level].count, sizeof(struct page *), by_frame);
	*frames = written->count;
	*loaded = fold->loaded[level].count;
	*bytes = 0;
	for (size_t i = 0; i < written->count; i++) {
		uint64_t words[PAGE / 64];

		memcpy(words, written->pages[i]->mask[level], sizeof(words));
		for (size_t w = 0; w < PAGE / 64; w++)
			*bytes += (uint64_t)__builtin_popcountll(words[w]);
	}
}

static uint8_t *pack(const struct page *page, int level, uint8_t *bytes)
{
	const uint8_t *mask = page->mask[level];

	for (unsigned int i = 0; i < PAGE / 8; i++) {
		if (mask[i] == 0xff) {
			memcpy(bytes, page->content + 8 * i, 8);
			bytes += 8;
			continue;
		}
		for (unsigned int bits = mask[i]; bits; bits &= bits - 1)
			*bytes++ = page->content[8 * i + (unsigned int)__builtin_ctz(bits)];
	}
	return bytes;
}

static void hand_up(struct fold *fold, struct page *page, int level)
{
	if (!(page->written >> (level + 1) & 1)) {
		page->written |= (uint8_t)(1 << (level + 1));
		list_add(fold, &fold->written[level + 1], page);
	}
	for (unsigned int i = 0; i < PAGE / 8; i++)
		page->mask[level + 1][i] |= page->mask[level][i];
}

/* Writes out a level that fold_measure has measured, adds it to the level above, and begins it anew. */
EXPORT int fold_take(struct fold *fold, int level, uint64_t *frame, uint8_t *mask, uint8_t *bytes,
		     uint64_t *loaded, uint64_t *lines)
{
	struct list *list = &fold->written[level];

	for (size_t i = 0; i < list->count; i++, mask += PAGE / 8) {
		struct page *page = list->pages[i];

		*frame++ = page->frame;
		memcpy(mask, page->mask[level], PAGE / 8);
		bytes = pack(page, level, bytes);
		if (level + 1 < LEVELS)
			hand_up(fold, page, level);
		memset(page->mask[level], 0, PAGE / 8);
		page->written &= (uint8_t) ~(1 << level);
	}
	list->count = 0;
	list = &fold->loaded[level];
	for (size_t i = 0; i < list->count; i++) {
		struct page *page = list->pages[i];

		*loaded++ = page->frame;
		*lines++ = page->lines[level];
		if (level + 1 < LEVELS && !(page->loaded >> (level + 1) & 1)) {
			page->loaded |= (uint8_t)(1 << (level + 1));
			list_add(fold, &fold->loaded[level + 1], page);
		}
		if (level + 1 < LEVELS)
			page->lines[level + 1] |= page->lines[level];
		page->lines[level] = 0;
		page->loaded &= (uint8_t) ~(1 << level);
	}
	list->count = 0;
	return fold->failed;
}
