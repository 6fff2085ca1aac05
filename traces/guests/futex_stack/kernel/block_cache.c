/*
 * Cache of disk blocks. Callers get copies: a cached block can be evicted whenever its reader
 * sleeps, and nothing pins it.
 */
#include "block_cache.h"
#include "fs_format.h"
#include "sched.h"
#include "string.h"
#include "virtio_blk.h"

#define CACHED_BLOCKS 64

struct cached_block {
	uint32_t block;
	bool valid;
	bool loading; /* others who want it sleep on this entry */
	uint64_t last_use;
	uint64_t data[BLOCK_SIZE / sizeof(uint64_t)];
};

static struct cached_block cache[CACHED_BLOCKS];
static uint64_t use_count;

static always_inline struct cached_block *find_block(uint32_t block)
{
	for (size_t i = 0; i < CACHED_BLOCKS; i++)
		if ((cache[i].valid || cache[i].loading) && cache[i].block == block)
			return &cache[i];
	return NULL;
}

static struct cached_block *least_recently_used(void)
{
	struct cached_block *oldest = NULL;

	for (size_t i = 0; i < CACHED_BLOCKS; i++)
		if (!cache[i].loading && (!oldest || cache[i].last_use < oldest->last_use))
			oldest = &cache[i];
	return oldest; /* tasks are fewer than entries, so one is not loading */
}

static int load_block(struct cached_block *entry, uint32_t block)
{
	int error;

	entry->block = block;
	entry->valid = false;
	entry->loading = true;
	error = virtio_blk_read((uint64_t)block * (BLOCK_SIZE / SECTOR_SIZE), entry->data, BLOCK_SIZE);
	entry->loading = false;
	entry->valid = error == 0;
	wake_up(entry);
	return error;
}

int block_cache_read(uint32_t block, void *out)
{
	struct cached_block *entry;

	while ((entry = find_block(block)) != NULL && entry->loading)
		sleep_on(entry, NO_DEADLINE);
	if (!entry) {
		int error;

		entry = least_recently_used();
		error = load_block(entry, block);
		if (error)
			return error;
	}
	entry->last_use = ++use_count;
	memcpy(out, entry->data, BLOCK_SIZE);
	return 0;
}
