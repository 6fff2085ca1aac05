/* Basic types shared by the whole kernel. */
#ifndef TYPES_H
#define TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t paddr_t; /* physical address; kernel memory is identity-mapped */
typedef uint64_t vaddr_t; /* address in a user address space */

#define PAGE_SIZE 4096UL
#define PAGE_MASK (PAGE_SIZE - 1)

/* For a loop that runs for every block of every file, also in builds that inline nothing. */
#define always_inline inline __attribute__((always_inline))

#define array_length(array) (sizeof(array) / sizeof((array)[0]))

#endif
