/* System calls on files. */
#include "console.h"
#include "errno.h"
#include "fs.h"
#include "sched.h"
#include "syscall.h"
#include "user_memory.h"

static struct file *open_file(uint64_t fd)
{
	struct file *file;

	if (fd < FIRST_FILE || fd >= MAX_FILES)
		return NULL;
	file = &current_task()->files[fd];
	return file->open ? file : NULL;
}

static int free_descriptor(void)
{
	for (int fd = FIRST_FILE; fd < MAX_FILES; fd++)
		if (!current_task()->files[fd].open)
			return fd;
	return -EMFILE;
}

/* openat(directory, path, flags, mode): paths are absolute, files read-only. */
int64_t sys_openat(const uint64_t *args)
{
	char path[PATH_MAX];
	struct inode inode;
	struct file *file;
	int result = copy_string_from_user(path, args[1], sizeof(path));

	if (result >= 0)
		result = fs_lookup(path, &inode);
	if (result < 0)
		return result;
	result = free_descriptor();
	if (result < 0)
		return result;
	file = &current_task()->files[result];
	file->open = true;
	file->offset = 0;
	file->inode = inode;
	return result;
}

int64_t sys_close(const uint64_t *args)
{
	struct file *file = open_file(args[0]);

	if (!file)
		return -EBADF;
	file->open = false;
	return 0;
}

static int64_t read_at(const struct file *file, uint64_t offset, vaddr_t buffer, uint64_t size)
{
	uint64_t block[BLOCK_SIZE / sizeof(uint64_t)];
	uint64_t done = 0;

	if (file->inode.type == INODE_DIRECTORY)
		return -EISDIR;
	while (done < size) {
		size_t chunk = size - done < sizeof(block) ? size - done : sizeof(block);
		int64_t result = fs_read(&file->inode, offset + done, block, chunk);

		if (result < 0)
			return result;
		if (result == 0)
			break;
		if (copy_to_user(buffer + done, block, (size_t)result) < 0)
			return -EFAULT;
		done += (uint64_t)result;
	}
	return (int64_t)done;
}

int64_t sys_read(const uint64_t *args)
{
	struct file *file = open_file(args[0]);
	int64_t size = file ? read_at(file, file->offset, args[1], args[2]) : -EBADF;

	if (size > 0)
		file->offset += (uint64_t)size;
	return size;
}

int64_t sys_pread64(const uint64_t *args)
{
	struct file *file = open_file(args[0]);

	return file ? read_at(file, args[3], args[1], args[2]) : -EBADF;
}

/* write(fd, buffer, size): only the console can be written to. */
int64_t sys_write(const uint64_t *args)
{
	char text[128];
	uint64_t done = 0;

	if (args[0] != 1 && args[0] != 2)
		return -EBADF;
	while (done < args[2]) {
		size_t chunk = args[2] - done < sizeof(text) ? args[2] - done : sizeof(text);

		if (copy_from_user(text, args[1] + done, chunk) < 0)
			return -EFAULT;
		console_write(text, chunk);
		done += chunk;
	}
	return (int64_t)done;
}
