#include "memory.h"
#include <stdint.h>

void *memset(void *to, int value, size_t size)
{
	char *byte = to;
	uint64_t word = (unsigned char)value * 0x0101010101010101UL;
	for (; size && ((uintptr_t)byte & 7 || size < 8); size--)
		*byte++ = (char)value;
	for (; size >= 8; size -= 8, byte += 8)
		*(volatile uint64_t *)byte = word;
	for (; size; size--)
		*byte++ = (char)value;
	return to;
}

void *memcpy(void *to, const void *from, size_t size)
{
	volatile char *byte = to;
	const char *source = from;
	while (size--)
		*byte++ = *source++;
	return to;
}
