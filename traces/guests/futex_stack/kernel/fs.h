/* Reading the file system. All functions return 0 or a size on success, else a negative error. */
#ifndef FS_H
#define FS_H

#include "fs_format.h"

#define PATH_MAX 4096

int fs_mount(void);

/* The inode at the absolute path `path`; symbolic links are followed. */
int fs_lookup(const char *path, struct inode *inode);

/* Up to `size` bytes of a file from `offset`; 0 at its end. */
int64_t fs_read(const struct inode *inode, uint64_t offset, void *buffer, size_t size);

/* Inode number `number`. */
int fs_read_inode(uint32_t number, struct inode *inode);

/* The inode named `name` (of `length` bytes) in a directory. */
int fs_find_entry(const struct inode *directory, const char *name, size_t length, struct inode *inode);

/* Block `index` of a file, with holes as zeroes. */
int fs_read_block(const struct inode *inode, uint32_t index, void *out);

#endif
