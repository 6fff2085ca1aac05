#include "frames.h"
#include "console.h"
#include "memory.h"

extern char kernel_end[];

static uint64_t next_fresh;
static uint64_t given_back;

void *linear(uint64_t physical)
{
	return (void *)(physical + linear_offset);
}

uint64_t frames_take(int count)
{
	if (!next_fresh)
		next_fresh = (uint64_t)kernel_end - linear_offset;
	next_fresh += count * PAGE;
	return next_fresh - count * PAGE;
}

uint64_t frame_take(void)
{
	uint64_t frame = given_back;
	if (!frame)
		return frames_take(1);
	given_back = *(uint64_t *)linear(frame);
	return frame;
}

uint64_t frame_take_zeroed(void)
{
	uint64_t frame = frame_take();
	memset(linear(frame), 0, PAGE);
	return frame;
}

void frame_give(uint64_t physical)
{
	*(uint64_t *)linear(physical) = given_back;
	given_back = physical;
}
