/* Kernel stacks of tasks. */
#include "bump.h"
#include "frame.h"
#include "kstack.h"
#include "page_table.h"
#include "task.h"

#ifdef VARIANT_FIXED

/* Stacks that tasks gave back; the bump region itself takes nothing back. */
static paddr_t spare[MAX_TASKS];
static size_t spare_count;

paddr_t kstack_alloc(void)
{
	paddr_t guard;

	if (spare_count)
		return spare[--spare_count];
	guard = bump_alloc(1 + KSTACK_PAGES);
	kernel_table_unmap(guard);
	return guard + PAGE_SIZE;
}

void kstack_free(paddr_t base)
{
	spare[spare_count++] = base;
}

#else

/* Frames come one by one; a stack needs them to be neighbours. */
paddr_t kstack_alloc(void)
{
	paddr_t pages[KSTACK_PAGES];
	size_t count;

	for (count = 0; count < KSTACK_PAGES; count++) {
		pages[count] = frame_alloc();
		if (!pages[count])
			break;
		if (pages[count] != pages[0] + count * PAGE_SIZE) {
			frame_put(pages[count]);
			break;
		}
	}
	if (count == KSTACK_PAGES)
		return pages[0];
	while (count-- > 0)
		frame_put(pages[count]);
	return 0;
}

void kstack_free(paddr_t base)
{
	for (size_t page = KSTACK_PAGES; page-- > 0;)
		frame_put(base + page * PAGE_SIZE);
}

#endif
