/* Physical frames, one at a time. */
#ifndef FRAME_H
#define FRAME_H

#include "types.h"

void frame_init(void);

/* One frame, contents undefined, reference count 1; 0 when none is left. */
paddr_t frame_alloc(void);

/* One frame of zeroes; 0 when none is left. */
paddr_t frame_alloc_zeroed(void);

void frame_share(paddr_t frame);

/* Drop one reference; the last one puts the frame at the head of the free list. */
void frame_put(paddr_t frame);

#endif
