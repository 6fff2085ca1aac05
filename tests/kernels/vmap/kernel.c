#include "kernel.h"

#define STACKS 0xffffffd000000000UL

const uint64_t linear_offset;

static struct thread *first, *last, *running;
static uint64_t next_stack = STACKS;

void switch_stacks(uint64_t *save_sp, uint64_t sp);

void thread_create(struct thread *thread, void (*entry)(void), int pages, int unmapped_pages_below)
{
	thread->stack_base = next_stack + unmapped_pages_below * PAGE;
	thread->stack_top = next_stack = thread->stack_base + pages * PAGE;
	for (uint64_t page = thread->stack_base; page < thread->stack_top; page += PAGE) {
		frame_take();
		space_map((uint64_t)boot_root, page, frame_take_zeroed(), PTE_KERNEL_DATA);
	}
	thread->sp = thread->stack_top - 112;
	((uint64_t *)thread->stack_top)[-1] = (uint64_t)entry;
	thread->next = NULL;
	*(last ? &last->next : &first) = thread;
	last = thread;
}

struct thread *current_thread(void)
{
	return running;
}

void yield(void)
{
	struct thread *from = running;
	do
		running = running->next ? running->next : first;
	while (running->has_ended);
	if (running != from)
		switch_stacks(&from->sp, running->sp);
}

void thread_exit(void)
{
	running->has_ended = 1;
	yield();
}

uint64_t stack_physical(uint64_t virtual)
{
	return PTE_PHYSICAL(*space_entry((uint64_t)boot_root, virtual)) + virtual % PAGE;
}

void kernel_main(void)
{
	static struct thread boot;
	setup();
	boot.has_ended = 1;
	running = &boot;
	yield();
}
