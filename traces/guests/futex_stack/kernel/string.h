/* Memory and string routines; the compiler may call the mem* ones by itself. */
#ifndef STRING_H
#define STRING_H

#include "types.h"

void *memcpy(void *destination, const void *source, size_t size);
void *memmove(void *destination, const void *source, size_t size);
void *memset(void *destination, int byte, size_t size);
int memcmp(const void *left, const void *right, size_t size);
size_t strlen(const char *text);

#endif
