/* Kernel stacks of tasks. */
#ifndef KSTACK_H
#define KSTACK_H

#include "types.h"

#ifdef VARIANT_FIXED
#define KSTACK_PAGES 4UL
#else
#define KSTACK_PAGES 2UL
#endif
#define KSTACK_SIZE (KSTACK_PAGES * PAGE_SIZE)

/* Lowest address of a new stack; 0 when there is none. */
paddr_t kstack_alloc(void);
void kstack_free(paddr_t base);

#endif
