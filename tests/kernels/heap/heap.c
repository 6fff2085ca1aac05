/* First fit, from a list of free blocks in order of address; neighbours are joined. */
#include "kernel.h"

#define ALIGNMENT 16UL
#define SMALLEST 64UL

struct block {
	struct block *next;
	uint64_t size;
};

static char heap[32768] __attribute__((aligned(16)));
static struct block first_free;

static void start_heap(void)
{
	struct block *all = (struct block *)heap;
	all->next = NULL;
	all->size = sizeof(heap);
	first_free.next = all;
}

void *heap_take(uint64_t size)
{
	uint64_t wanted = (size + sizeof(struct block) + ALIGNMENT - 1) & ~(ALIGNMENT - 1);
	struct block *before = &first_free;
	if (!first_free.next && !first_free.size++)
		start_heap();
	while (before->next && before->next->size < wanted)
		before = before->next;
	struct block *found = before->next;
	if (!found)
		panic("out of memory", size);
	if (found->size - wanted >= SMALLEST) {
		struct block *rest = (struct block *)((char *)found + wanted);
		rest->next = found->next;
		rest->size = found->size - wanted;
		before->next = rest;
		found->size = wanted;
	} else {
		before->next = found->next;
	}
	found->next = NULL;
	return found + 1;
}

static void join_next(struct block *block)
{
	struct block *next = block->next;
	if (next && (char *)block + block->size == (char *)next) {
		block->size += next->size;
		block->next = next->next;
	}
}

void heap_give(void *given)
{
	struct block *block = (struct block *)given - 1, *before = &first_free;
	if (block->next || block->size > sizeof(heap))
		panic("a block is given back that was not given out", 0);
	while (before->next && before->next < block)
		before = before->next;
	block->next = before->next;
	before->next = block;
	join_next(block);
	if (before != &first_free)
		join_next(before);
}
