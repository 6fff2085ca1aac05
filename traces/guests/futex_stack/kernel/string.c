/* Memory and string routines for kernel and user programs; memcpy is in memcpy.S. */
#include "string.h"

void *memmove(void *destination, const void *source, size_t size)
{
	uint8_t *to = destination;
	const uint8_t *from = source;

	if (to <= from || to >= from + size)
		return memcpy(destination, source, size);
	while (size--)
		to[size] = from[size];
	return destination;
}

void *memset(void *destination, int byte, size_t size)
{
	uint8_t *to = destination;

	while (size--)
		*to++ = (uint8_t)byte;
	return destination;
}

int memcmp(const void *left, const void *right, size_t size)
{
	const uint8_t *a = left, *b = right;

	for (; size--; a++, b++)
		if (*a != *b)
			return *a - *b;
	return 0;
}

size_t strlen(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}
