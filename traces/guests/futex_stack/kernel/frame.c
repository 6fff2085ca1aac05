/*
 * Frame allocator: a free list, last freed first served.
 *
 * At boot the list runs through memory in ascending order. From then on its order is the history of
 * who freed what and when, so neighbours in the list soon are no neighbours in memory.
 */
#include "console.h"
#include "frame.h"
#include "layout.h"
#include "string.h"

#define FRAME_COUNT ((FRAMES_END - FRAMES_BASE) / PAGE_SIZE)
#define LIST_END 0xffff

struct frame {
	uint16_t next;
	uint16_t references;
};

static struct frame frames[FRAME_COUNT];
static uint16_t free_head;

void frame_init(void)
{
	for (size_t i = 0; i < FRAME_COUNT; i++)
		frames[i].next = (uint16_t)(i + 1);
	frames[FRAME_COUNT - 1].next = LIST_END;
	free_head = 0;
}

static struct frame *frame_of(paddr_t address)
{
	if (address < FRAMES_BASE || address >= FRAMES_END)
		panic("frame %x is not from the allocator", address);
	return &frames[(address - FRAMES_BASE) / PAGE_SIZE];
}

paddr_t frame_alloc(void)
{
	uint16_t index = free_head;

	if (index == LIST_END)
		return 0;
	free_head = frames[index].next;
	frames[index].references = 1;
	return FRAMES_BASE + index * PAGE_SIZE;
}

paddr_t frame_alloc_zeroed(void)
{
	paddr_t address = frame_alloc();

	if (address)
		memset((void *)address, 0, PAGE_SIZE);
	return address;
}

void frame_share(paddr_t address)
{
	frame_of(address)->references++;
}

void frame_put(paddr_t address)
{
	struct frame *frame = frame_of(address);

	if (frame->references == 0)
		panic("frame %x freed twice", address);
	if (--frame->references)
		return;
	frame->next = free_head;
	free_head = (uint16_t)(frame - frames);
}
