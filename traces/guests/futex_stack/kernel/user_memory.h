/* Copies between the kernel and the current task's memory; 0 or -EFAULT. */
#ifndef USER_MEMORY_H
#define USER_MEMORY_H

#include "types.h"

int copy_from_user(void *to, vaddr_t from, size_t size);
int copy_to_user(vaddr_t to, const void *from, size_t size);

/* A string with its end; its length, -EFAULT, or -ENAMETOOLONG when it does not fit. */
int copy_string_from_user(char *to, vaddr_t from, size_t size);

#endif
