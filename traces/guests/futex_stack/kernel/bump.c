/* Contiguous memory that is never given back. */
#include "bump.h"
#include "console.h"
#include "layout.h"
#include "string.h"

static paddr_t next = BUMP_BASE;

paddr_t bump_alloc(size_t count)
{
	paddr_t start = next;

	if (count > (BUMP_END - next) / PAGE_SIZE)
		panic("bump region is used up");
	next += count * PAGE_SIZE;
	return (paddr_t)memset((void *)start, 0, count * PAGE_SIZE);
}
