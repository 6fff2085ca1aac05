/* Open files of a task. */
#ifndef FILE_H
#define FILE_H

#include "fs_format.h"

#define MAX_FILES 8
#define FIRST_FILE 3 /* 0 to 2 are the console */

struct file {
	bool open;
	uint64_t offset;
	struct inode inode;
};

#endif
