/* User address spaces. */
#include "address_space.h"
#include "frame.h"
#include "riscv.h"
#include "string.h"
#include "task.h"
#include "user_layout.h"

static struct address_space spaces[MAX_TASKS + 1]; /* execve holds two for a while */

struct address_space *address_space_create(void)
{
	for (size_t i = 0; i < array_length(spaces); i++) {
		struct address_space *space = &spaces[i];

		if (space->users)
			continue;
		space->root = (pte_t *)frame_alloc_zeroed();
		if (!space->root)
			return NULL;
		kernel_table_copy_into(space->root);
		space->users = 1;
		return space;
	}
	return NULL;
}

/* The entry for `page` in the last level; tables on the way are made when `create`. */
static pte_t *walk(const struct address_space *space, vaddr_t page, bool create)
{
	pte_t *table = space->root;

	for (unsigned level = 2; level > 0; level--) {
		pte_t *entry = &table[table_index(page, level)];

		if (!(*entry & PTE_V)) {
			paddr_t frame = create ? frame_alloc_zeroed() : 0;

			if (!frame)
				return NULL;
			*entry = pte_make(frame, 0);
		}
		table = (pte_t *)pte_address(*entry);
	}
	return &table[table_index(page, 0)];
}

static pte_t user_entry(paddr_t frame, uint64_t flags)
{
	return pte_make(frame, flags | PTE_U | PTE_A | (flags & PTE_W ? PTE_D : 0));
}

paddr_t address_space_add_page(struct address_space *space, vaddr_t page, uint64_t flags)
{
	pte_t *entry = walk(space, page, true);
	paddr_t frame = entry ? frame_alloc() : 0;

	if (frame)
		*entry = user_entry(frame, flags);
	return frame;
}

paddr_t address_space_translate(const struct address_space *space, vaddr_t address, uint64_t flags)
{
	pte_t *entry;

	if (address < USER_BASE_VA || address >= USER_END_VA)
		return 0;
	entry = walk(space, address & ~PAGE_MASK, false);
	if (!entry || !(*entry & PTE_V) || (*entry & flags) != flags)
		return 0;
	return pte_address(*entry) | (address & PAGE_MASK);
}

static bool share_page(struct address_space *child, vaddr_t page, pte_t entry)
{
	pte_t *slot = walk(child, page, true);

	if (!slot)
		return false;
	frame_share(pte_address(entry));
	*slot = entry;
	return true;
}

static bool copy_page(struct address_space *child, vaddr_t page, pte_t entry)
{
	paddr_t copy = address_space_add_page(child, page, entry & PTE_LEAF);

	if (copy)
		memcpy((void *)copy, (const void *)pte_address(entry), PAGE_SIZE);
	return copy != 0;
}

struct address_space *address_space_fork(const struct address_space *parent)
{
	struct address_space *child = address_space_create();

	if (!child)
		return NULL;
	for (vaddr_t page = USER_BASE_VA; page < USER_END_VA; page += PAGE_SIZE) {
		pte_t *entry = walk(parent, page, false);

		if (!entry || !(*entry & PTE_V))
			continue;
		if (!(*entry & PTE_W ? copy_page : share_page)(child, page, *entry)) {
			address_space_put(child);
			return NULL;
		}
	}
	return child;
}

static void free_tables(pte_t *table, unsigned level)
{
	for (unsigned i = PTES_PER_TABLE; i-- > 0;) {
		if (!(table[i] & PTE_V))
			continue;
		if (level == 0)
			frame_put(pte_address(table[i]));
		else
			free_tables((pte_t *)pte_address(table[i]), level - 1);
	}
	frame_put((paddr_t)table);
}

void address_space_put(struct address_space *space)
{
	pte_t user;

	if (--space->users)
		return;
	user = space->root[table_index(USER_BASE_VA, 2)];
	if (user & PTE_V)
		free_tables((pte_t *)pte_address(user), 1);
	frame_put((paddr_t)space->root);
}

void address_space_leave(struct address_space *space)
{
	kernel_table_activate();
	address_space_put(space);
}

void address_space_activate(const struct address_space *space)
{
	csr_write(satp, SATP_SV39 | (paddr_t)space->root >> 12);
	tlb_flush();
}
