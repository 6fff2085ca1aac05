/* Searching a directory. */
#include "errno.h"
#include "fs.h"
#include "string.h"

static bool entry_is_named(const struct directory_entry *entry, const char *name, size_t length)
{
	if (length >= NAME_SIZE)
		return false;
	return memcmp(entry->name, name, length) == 0 && entry->name[length] == '\0';
}

int fs_find_entry(const struct inode *directory, const char *name, size_t length, struct inode *inode)
{
	struct directory_entry block[ENTRIES_PER_BLOCK] __attribute__((aligned(8)));

	if (directory->type != INODE_DIRECTORY)
		return -ENOTDIR;
	for (uint32_t index = 0; index * BLOCK_SIZE < directory->size; index++) {
		int error = fs_read_block(directory, index, block);

		if (error)
			return error;
		for (size_t i = 0; i < ENTRIES_PER_BLOCK; i++)
			if (entry_is_named(&block[i], name, length))
				return fs_read_inode(block[i].inode, inode);
	}
	return -ENOENT;
}
