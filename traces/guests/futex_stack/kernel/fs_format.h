/*
 * The file system on disk, read-only. image/mkfs.py writes it.
 *
 * Block 0 is the superblock. It holds the inode of the inode file, whose contents are all other
 * inodes, one after the other. A file's data are extents; what no extent covers is a hole and reads
 * as zeroes. The first extents stand in the inode, further ones in an extent block.
 */
#ifndef FS_FORMAT_H
#define FS_FORMAT_H

#include "types.h"

#define BLOCK_SIZE 1024
#define FS_MAGIC 0x31534654
#define ROOT_INODE 0
#define INLINE_EXTENTS 2
#define NAME_SIZE 28

enum inode_type { INODE_FILE = 1, INODE_DIRECTORY = 2, INODE_SYMLINK = 3 };

struct extent {
	uint32_t logical; /* first block within the file */
	uint32_t physical;
	uint32_t count; /* 0: unused */
};

struct inode {
	uint32_t type;
	uint32_t size;
	struct extent extents[INLINE_EXTENTS];
	uint32_t extent_block; /* 0: none */
	uint32_t reserved[7];
};

struct directory_entry {
	uint32_t inode;
	char name[NAME_SIZE]; /* padded with zeroes; empty: unused */
};

struct superblock {
	uint32_t magic;
	uint32_t inode_count;
	struct inode inode_file;
};

#define EXTENTS_PER_BLOCK (BLOCK_SIZE / sizeof(struct extent))
#define ENTRIES_PER_BLOCK (BLOCK_SIZE / sizeof(struct directory_entry))

_Static_assert(sizeof(struct inode) == 64, "mkfs.py writes inodes of 64 bytes");
_Static_assert(sizeof(struct directory_entry) == 32, "mkfs.py writes entries of 32 bytes");

#endif
