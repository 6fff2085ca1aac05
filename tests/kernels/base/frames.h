/* Physical frames: fresh ones ascending from the kernel's end, given-back ones last in, first out. */
#ifndef FRAMES_H
#define FRAMES_H

#include "riscv.h"

/* Returns the physical address of a frame that holds whatever it held before. */
uint64_t frame_take(void);
/* Fresh neighbours; the lowest one's address. */
uint64_t frames_take(int count);
uint64_t frame_take_zeroed(void);
void frame_give(uint64_t physical);
void *linear(uint64_t physical);

#endif
