/*
 * In order: fork with copy on write, pages allocated when they are first touched, and system calls that
 * write to user memory, timespecs among them.
 */
#include "kernel.h"

#define SYS_EXIT 93
#define SYS_NANOSLEEP 101
#define SYS_CLOCK_GETTIME 113
#define SYS_FORK 220
#define PTE_COPY_ON_WRITE (1UL << 8)
#define USER_END (USER_STACK + PAGE)

static long sleeps, exits;

void setup(void)
{
	task_create(1, space_create_user(), frames_take(2), 2);
}

static void share_page(uint64_t root, uint64_t child, uint64_t virtual)
{
	uint64_t *entry = space_entry(root, virtual);
	if (*entry & PTE_W)
		*entry = (*entry & ~PTE_W) | PTE_COPY_ON_WRITE;
	if (*entry)
		*space_entry(child, virtual) = *entry;
}

static long sys_fork(struct frame *frame)
{
	uint64_t child = space_create();
	for (uint64_t page = USER_TEXT; page < USER_END; page += PAGE)
		share_page(current()->root, child, page);
	__asm__ volatile("sfence.vma" ::: "memory");
	task_create(2, child, frames_take(2), 2);
	*task_frame(&tasks[2]) = *frame;
	task_frame(&tasks[2])->x[10] = 0;
	return 2;
}

int handle_fault(struct frame *frame, uint64_t cause, uint64_t address)
{
	(void)frame;
	if (address < USER_DATA || address >= USER_END || cause < CAUSE_LOAD_PAGE_FAULT)
		return 0;
	uint64_t virtual = address & -PAGE, *entry = space_entry(current()->root, virtual);
	if (!*entry) {
		space_map(current()->root, virtual, frame_take_zeroed(), PTE_USER_DATA);
		return 1;
	}
	if (cause != CAUSE_STORE_PAGE_FAULT || !(*entry & PTE_COPY_ON_WRITE))
		return 0;
	uint64_t copy = frame_take();
	memcpy(linear(copy), linear(PTE_PHYSICAL(*entry)), PAGE);
	space_map(current()->root, virtual, copy, PTE_USER_DATA);
	return 1;
}

long system_call(long number, struct frame *frame)
{
	struct timespec time = { 0, 0 };
	switch (number) {
	case SYS_FORK:
		return sys_fork(frame);
	case SYS_CLOCK_GETTIME:
		time.nanoseconds = 1000 + sleeps++;
		copy_to_user(frame->x[11], &time, sizeof(time));
		return 0;
	case SYS_NANOSLEEP:
		copy_from_user(&time, frame->x[10], sizeof(time));
		yield();
		return time.seconds || time.nanoseconds > 2000 ? -22 : 0;
	case SYS_EXIT:
		if (frame->x[10])
			panic("task failed", frame->x[10]);
		if (++exits == 2)
			finish("ok");
		task_exit();
	}
	return -1;
}

USER void user_main(long task)
{
	volatile long *shared = (volatile long *)USER_DATA;
	volatile long *untouched = (volatile long *)(USER_DATA + 3 * PAGE);
	struct timespec *time = (struct timespec *)(USER_DATA + 5 * PAGE - 8);
	long wrong = 0;
	*shared = task + 5;
	long child = call(SYS_FORK);
	wrong |= *shared != 6;
	*shared = child;
	for (int turn = 0; turn < 3; turn++) {
		call(SYS_CLOCK_GETTIME, 1, (long)time);
		wrong |= call(SYS_NANOSLEEP, (long)time);
	}
	wrong |= *shared != child || *untouched;
	call(SYS_EXIT, wrong);
}
