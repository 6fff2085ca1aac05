/* Contiguous memory that is never given back. */
#ifndef BUMP_H
#define BUMP_H

#include "types.h"

/* `count` contiguous zeroed pages; panics when the region is used up. */
paddr_t bump_alloc(size_t count);

#endif
