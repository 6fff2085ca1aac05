#include "kernel.h"

#define PTE_KERNEL (PTE_V | PTE_R | PTE_W)
#define JUNK_TAKEN 5
#define JUNK_GIVEN 1
#define POOL 200

const uint64_t linear_offset;
uint64_t kernel_root;
static struct lock page_lock;

extern char trampoline[], user_image[], kernel_end[];

/* The page holds junk. */
uint64_t page_take(void)
{
	acquire(&page_lock);
	uint64_t page = frame_take();
	release(&page_lock);
	memset((void *)page, JUNK_TAKEN, PAGE);
	return page;
}

void page_give(uint64_t page)
{
	memset((void *)page, JUNK_GIVEN, PAGE);
	acquire(&page_lock);
	frame_give(page);
	release(&page_lock);
}

static uint64_t page_take_zeroed(void)
{
	uint64_t page = page_take();
	memset((void *)page, 0, PAGE);
	return page;
}

/* Returns NULL where there is none and none is to be made. */
uint64_t *entry_of(uint64_t root, uint64_t virtual, int make)
{
	uint64_t *table = (uint64_t *)root;
	for (int level = 2; level; level--) {
		uint64_t *entry = &table[virtual >> (12 + 9 * level) & 511];
		if (!(*entry & PTE_V)) {
			if (!make)
				return NULL;
			*entry = PTE_OF(page_take_zeroed(), PTE_V);
		}
		table = (uint64_t *)PTE_PHYSICAL(*entry);
	}
	return &table[virtual >> 12 & 511];
}

void map(uint64_t root, uint64_t virtual, uint64_t physical, uint64_t flags)
{
	uint64_t *entry = entry_of(root, virtual, 1);
	if (*entry & PTE_V)
		panic("mapped already", virtual);
	*entry = PTE_OF(physical, flags | PTE_V | PTE_AD);
}

uint64_t unmap(uint64_t root, uint64_t virtual)
{
	uint64_t *entry = entry_of(root, virtual, 0);
	uint64_t physical = entry ? PTE_PHYSICAL(*entry) : 0;
	if (entry)
		*entry = 0;
	return physical;
}

void kernel_space_create(void)
{
	for (int page = 0; page < POOL; page++)
		page_give(frames_take(1));
	kernel_root = page_take_zeroed();
	map(kernel_root, 0x10000000, 0x10000000, PTE_KERNEL);
	map(kernel_root, 0x100000, 0x100000, PTE_KERNEL);
	for (uint64_t page = RAM_START; page < RAM_END; page += PAGE)
		map(kernel_root, page, page, PTE_KERNEL | (page < (uint64_t)user_image ? PTE_X : 0));
	map(kernel_root, TRAMPOLINE, (uint64_t)trampoline, PTE_R | PTE_X);
#ifndef DIRECT_STACKS
	for (int slot = 0; slot < PROCESSES; slot++) {
		processes[slot].stack_base = STACK_BASE(slot);
		for (uint64_t offset = 0; offset < STACK_PAGES * PAGE; offset += PAGE)
			map(kernel_root, STACK_BASE(slot) + offset, page_take(), PTE_KERNEL);
	}
#endif
}

void kernel_space_use(void)
{
	__asm__ volatile("sfence.vma" ::: "memory");
	csr_write(satp, SATP_SV39 | kernel_root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}

uint64_t user_space_create(uint64_t registers)
{
	uint64_t root = page_take_zeroed();
	map(root, TRAMPOLINE, (uint64_t)trampoline, PTE_R | PTE_X);
	map(root, REGISTERS, registers, PTE_R | PTE_W);
	return root;
}

static void tables_free(uint64_t table)
{
	for (uint64_t *entry = (uint64_t *)table; entry < (uint64_t *)(table + PAGE); entry++)
		if ((*entry & (PTE_V | PTE_R | PTE_W | PTE_X)) == PTE_V)
			tables_free(PTE_PHYSICAL(*entry));
	page_give(table);
}

__attribute__((weak)) void user_page_give(uint64_t page)
{
	page_give(page);
}

void user_space_free(uint64_t root, uint64_t size)
{
	for (uint64_t offset = 0; offset < size; offset += PAGE) {
		uint64_t page = unmap(root, USER_TEXT + offset);
		if (page)
			user_page_give(page);
	}
	unmap(root, TRAMPOLINE);
	unmap(root, REGISTERS);
	tables_free(root);
}

/* Text and data, a page that only the kernel may touch, and a stack. Returns the size. */
uint64_t user_image_load(uint64_t root)
{
	uint64_t size = (uint64_t)(kernel_end - user_image);
	for (uint64_t offset = 0; offset < size; offset += PAGE) {
		uint64_t page = page_take();
		memcpy((void *)page, user_image + offset, PAGE);
		map(root, USER_TEXT + offset, page, PTE_R | PTE_W | PTE_X | PTE_U);
	}
	map(root, USER_TEXT + size, page_take_zeroed(), PTE_R | PTE_W);
	map(root, USER_TEXT + size + PAGE, page_take_zeroed(), PTE_R | PTE_W | PTE_U);
	return size + 2 * PAGE;
}

__attribute__((weak)) void user_copy(uint64_t from, uint64_t to, uint64_t size)
{
	for (uint64_t virtual = USER_TEXT; virtual < USER_TEXT + size; virtual += PAGE) {
		uint64_t *entry = entry_of(from, virtual, 0);
		if (!entry || !*entry)
			continue;
		uint64_t page = page_take();
		memcpy((void *)page, (void *)PTE_PHYSICAL(*entry), PAGE);
		map(to, virtual, page, *entry & 0x3ff);
	}
}

static uint64_t user_page(uint64_t root, uint64_t virtual, uint64_t flags)
{
	if (virtual >= REGISTERS)
		return 0;
	const uint64_t *entry = entry_of(root, virtual, 0);
	return entry && (*entry & flags) == flags ? PTE_PHYSICAL(*entry) : 0;
}

__attribute__((weak)) uint64_t user_page_for_store(uint64_t root, uint64_t virtual)
{
	return user_page(root, virtual, PTE_V | PTE_U | PTE_W);
}

static uint64_t rest_of_page(uint64_t virtual, uint64_t size)
{
	uint64_t rest = PAGE - virtual % PAGE;
	return rest < size ? rest : size;
}

int copy_in(uint64_t root, void *to, uint64_t from, uint64_t size)
{
	for (uint64_t part; size; to = (char *)to + part, from += part, size -= part) {
		uint64_t page = user_page(root, from, PTE_V | PTE_U);
		if (!page)
			return -1;
		part = rest_of_page(from, size);
		memcpy(to, (void *)(page + from % PAGE), part);
	}
	return 0;
}

int copy_out(uint64_t root, uint64_t to, const void *from, uint64_t size)
{
	for (uint64_t part; size; to += part, from = (const char *)from + part, size -= part) {
		uint64_t page = user_page_for_store(root, to);
		if (!page)
			return -1;
		part = rest_of_page(to, size);
		memcpy((void *)(page + to % PAGE), from, part);
	}
	return 0;
}
