/* Block device behind virtio-mmio. */
#ifndef VIRTIO_BLK_H
#define VIRTIO_BLK_H

#include "types.h"

#define SECTOR_SIZE 512

/* Find the device; panics when the machine has none. */
void virtio_blk_init(void);

/* Read sectors into `buffer`; the task sleeps until the device is done. 0 or -EIO. */
int virtio_blk_read(uint64_t sector, void *buffer, size_t size);

void virtio_blk_interrupt(uint32_t irq);

#endif
