/* Loading programs: static 64-bit ELF files whose segments lie in the user's address range. */
#include "address_space.h"
#include "errno.h"
#include "exec.h"
#include "fs.h"
#include "riscv.h"
#include "string.h"
#include "task.h"
#include "user_layout.h"

#define ELF_MAGIC 0x464c457f
#define ELF_MACHINE_RISCV 243
#define SEGMENT_LOAD 1
#define SEGMENT_EXECUTE 1
#define SEGMENT_WRITE 2

struct elf_header {
	uint32_t magic;
	uint8_t ident[12];
	uint16_t type, machine;
	uint32_t version;
	uint64_t entry, segment_offset, section_offset;
	uint32_t flags;
	uint16_t header_size, segment_size, segment_count;
	uint16_t section_fields[3];
};

struct elf_segment {
	uint32_t type, flags;
	uint64_t offset, address, physical, file_size, memory_size, alignment;
};

/* What stands at the upper end of a new program's stack. */
struct arguments {
	uint64_t argc;
	vaddr_t argv[2];
	vaddr_t environment[1];
	uint64_t auxiliary[2 * 12];
	char path[160];
};

#define USER_ARGUMENTS_VA (USER_STACK_VA + PAGE_SIZE - sizeof(struct arguments))

static int load_page(struct address_space *space, const struct inode *file, const struct elf_segment *segment,
		     uint64_t start)
{
	uint64_t flags = PTE_R | (segment->flags & SEGMENT_WRITE ? PTE_W : 0) |
			 (segment->flags & SEGMENT_EXECUTE ? PTE_X : 0);
	paddr_t frame = address_space_add_page(space, segment->address + start, flags);
	int64_t size;

	if (!frame)
		return -ENOMEM;
	memset((void *)frame, 0, PAGE_SIZE);
	if (start >= segment->file_size)
		return 0;
	size = (int64_t)(segment->file_size - start);
	if (size > (int64_t)PAGE_SIZE)
		size = PAGE_SIZE;
	return fs_read(file, segment->offset + start, (void *)frame, (size_t)size) == size ? 0 : -EIO;
}

static int load_segment(struct address_space *space, const struct inode *file,
			const struct elf_segment *segment)
{
	if (segment->address % PAGE_SIZE || segment->address < USER_BASE_VA ||
	    segment->memory_size > USER_STACK_VA - USER_BASE_VA ||
	    segment->address > USER_STACK_VA - segment->memory_size)
		return -ENOEXEC;
	for (uint64_t start = 0; start < segment->memory_size; start += PAGE_SIZE) {
		int error = load_page(space, file, segment, start);

		if (error)
			return error;
	}
	return 0;
}

static int load_elf(struct address_space *space, const struct inode *file, const struct elf_header *header)
{
	for (unsigned i = 0; i < header->segment_count; i++) {
		struct elf_segment segment;
		uint64_t offset = header->segment_offset + i * sizeof(segment);
		int error;

		if (fs_read(file, offset, &segment, sizeof(segment)) != sizeof(segment))
			return -ENOEXEC;
		if (segment.type != SEGMENT_LOAD)
			continue;
		error = load_segment(space, file, &segment);
		if (error)
			return error;
	}
	return 0;
}

/* A program finds argc, argv and its own path at its first sp; no environment. */
static int map_stack(struct address_space *space, const char *path)
{
	paddr_t frame = address_space_add_page(space, USER_STACK_VA, PTE_R | PTE_W);
	struct arguments *arguments;
	size_t length = strlen(path);

	if (!frame)
		return -ENOMEM;
	memset((void *)frame, 0, PAGE_SIZE);
	arguments = (struct arguments *)(frame + PAGE_SIZE) - 1;
	arguments->argc = 1;
	arguments->argv[0] = USER_ARGUMENTS_VA + offsetof(struct arguments, path);
	if (length >= sizeof(arguments->path))
		length = sizeof(arguments->path) - 1;
	memcpy(arguments->path, path, length);
	return 0;
}

/* Only when all has gone well the task leaves its old program. */
static void enter_program(struct task *task, struct address_space *space, vaddr_t entry)
{
	struct address_space *old = task->space;

	memset(task->frame, 0, sizeof(*task->frame));
	task->frame->sepc = entry;
	task->frame->sp = USER_ARGUMENTS_VA;
	task->frame->sstatus = SSTATUS_SPIE;
	task->space = space;
	address_space_activate(space);
	__asm__ volatile("fence.i" ::: "memory");
	if (old)
		address_space_put(old);
}

int exec_program(struct task *task, const char *path)
{
	struct elf_header header;
	struct inode file;
	struct address_space *space;
	int error = fs_lookup(path, &file);

	if (error)
		return error;
	if (fs_read(&file, 0, &header, sizeof(header)) != sizeof(header) || header.magic != ELF_MAGIC ||
	    header.machine != ELF_MACHINE_RISCV)
		return -ENOEXEC;
	space = address_space_create();
	if (!space)
		return -ENOMEM;
	error = load_elf(space, &file, &header);
	if (!error)
		error = map_stack(space, path);
	if (error) {
		address_space_put(space);
		return error;
	}
	enter_program(task, space, header.entry);
	return 0;
}
