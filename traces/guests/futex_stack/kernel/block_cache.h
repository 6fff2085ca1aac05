/* Cache of disk blocks. */
#ifndef BLOCK_CACHE_H
#define BLOCK_CACHE_H

#include "types.h"

/* Copy disk block `block` to `out` (BLOCK_SIZE bytes). 0 or a negative error. */
int block_cache_read(uint32_t block, void *out);

#endif
