#include "paging.h"
#include "console.h"
#include "frames.h"
#include "memory.h"

extern char boot_root[], user_image[], kernel_end[];

uint64_t space_create(void)
{
	uint64_t root = frame_take();
	memcpy(linear(root), boot_root, PAGE);
	return root;
}

uint64_t *space_entry(uint64_t root, uint64_t virtual)
{
	uint64_t *table = linear(root);
	for (int level = 2; level; level--) {
		uint64_t *entry = &table[virtual >> (12 + 9 * level) & 511];
		if (!*entry)
			*entry = PTE_OF(frame_take_zeroed(), PTE_V);
		table = linear(PTE_PHYSICAL(*entry));
	}
	return &table[virtual >> 12 & 511];
}

void space_map(uint64_t root, uint64_t virtual, uint64_t physical, uint64_t flags)
{
	*space_entry(root, virtual) = PTE_OF(physical, flags);
	__asm__ volatile("sfence.vma" ::: "memory");
}

uint64_t space_create_user(void)
{
	uint64_t root = space_create();
	uint64_t stack = frame_take_zeroed();
	uint64_t image = (uint64_t)user_image - linear_offset;
	for (uint64_t place = 0; place < (uint64_t)(kernel_end - user_image); place += PAGE)
		space_map(root, USER_TEXT + place, image + place, PTE_USER_TEXT);
	space_map(root, USER_STACK, stack, PTE_USER_DATA);
	return root;
}

void space_use(uint64_t root)
{
	csr_write(satp, SATP_SV39 | root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
}
