/* From a block's place in a file to its place on disk. */
#include "block_cache.h"
#include "fs.h"
#include "string.h"

static always_inline uint32_t search_extents(const struct extent *extents, size_t count, uint32_t index)
{
	for (size_t i = 0; i < count; i++)
		if (index - extents[i].logical < extents[i].count)
			return extents[i].physical + (index - extents[i].logical);
	return 0;
}

/* Disk block of block `index` in *block, 0 for a hole. */
static int map_extent(const struct inode *inode, uint32_t index, uint32_t *block)
{
	struct extent table[EXTENTS_PER_BLOCK + 1] __attribute__((aligned(8))); /* a whole block */
	int error;

	*block = search_extents(inode->extents, INLINE_EXTENTS, index);
	if (*block || !inode->extent_block)
		return 0;
	error = block_cache_read(inode->extent_block, table);
	if (error)
		return error;
	*block = search_extents(table, EXTENTS_PER_BLOCK, index);
	return 0;
}

int fs_read_block(const struct inode *inode, uint32_t index, void *out)
{
	uint32_t block;
	int error = map_extent(inode, index, &block);

	if (error)
		return error;
	if (!block) {
		memset(out, 0, BLOCK_SIZE);
		return 0;
	}
	return block_cache_read(block, out);
}
