/* Inodes, and the bytes of files. */
#include "block_cache.h"
#include "errno.h"
#include "fs.h"
#include "string.h"

static struct superblock superblock;

int fs_mount(void)
{
	uint64_t block[BLOCK_SIZE / sizeof(uint64_t)];
	int error = block_cache_read(0, block);

	if (error)
		return error;
	memcpy(&superblock, block, sizeof(superblock));
	return superblock.magic == FS_MAGIC ? 0 : -EINVAL;
}

int fs_read_inode(uint32_t number, struct inode *inode)
{
	struct inode block[BLOCK_SIZE / sizeof(struct inode)] __attribute__((aligned(8)));
	int error;

	if (number >= superblock.inode_count)
		return -EIO;
	error = fs_read_block(&superblock.inode_file, number / array_length(block), block);
	if (error)
		return error;
	*inode = block[number % array_length(block)];
	return 0;
}

int64_t fs_read(const struct inode *inode, uint64_t offset, void *buffer, size_t size)
{
	uint64_t block[BLOCK_SIZE / sizeof(uint64_t)];
	size_t done = 0;

	if (offset >= inode->size)
		return 0;
	if (size > inode->size - offset)
		size = inode->size - offset;
	while (done < size) {
		size_t within = (offset + done) % BLOCK_SIZE;
		size_t chunk = BLOCK_SIZE - within;
		int error = fs_read_block(inode, (uint32_t)((offset + done) / BLOCK_SIZE), block);

		if (error)
			return error;
		if (chunk > size - done)
			chunk = size - done;
		memcpy((char *)buffer + done, (const char *)block + within, chunk);
		done += chunk;
	}
	return (int64_t)done;
}
