/* Path lookup. */
#include "errno.h"
#include "fs.h"
#include "string.h"

#define MAX_LINKS 4

static int walk_path(const struct inode *start, const char *path, unsigned links, struct inode *inode);

/* Go on from the directory that holds the link `link`. */
static int follow_link(const struct inode *directory, unsigned links, const struct inode *link,
		       struct inode *inode)
{
	char target[PATH_MAX];
	int64_t size;

	if (links >= MAX_LINKS)
		return -ELOOP;
	size = fs_read(link, 0, target, sizeof(target) - 1);
	if (size < 0)
		return (int)size;
	target[size] = '\0';
	return walk_path(directory, target, links + 1, inode);
}

static int walk_path(const struct inode *start, const char *path, unsigned links, struct inode *inode)
{
	struct inode directory = *start;

	if (*path == '/') {
		int error = fs_read_inode(ROOT_INODE, &directory);

		if (error)
			return error;
	}
	*inode = directory;
	for (;;) {
		size_t length = 0;
		int error;

		while (*path == '/')
			path++;
		while (path[length] && path[length] != '/')
			length++;
		if (length == 0)
			return 0;
		directory = *inode;
		error = fs_find_entry(&directory, path, length, inode);
		if (!error && inode->type == INODE_SYMLINK) {
			struct inode link = *inode;

			error = follow_link(&directory, links, &link, inode);
		}
		if (error)
			return error;
		path += length;
	}
}

int fs_lookup(const char *path, struct inode *inode)
{
	struct inode root;
	int error = fs_read_inode(ROOT_INODE, &root);

	return error ? error : walk_path(&root, path, 0, inode);
}
