/* Registers and rings of a legacy virtio-mmio device (virtio 1.0, sections 2.4 and 4.2.4). */
#ifndef VIRTIO_MMIO_H
#define VIRTIO_MMIO_H

#include "types.h"

#define VIRTIO_MAGIC_VALUE 0x000
#define VIRTIO_VERSION 0x004
#define VIRTIO_DEVICE_ID 0x008
#define VIRTIO_GUEST_FEATURES 0x020
#define VIRTIO_GUEST_PAGE_SIZE 0x028
#define VIRTIO_QUEUE_SEL 0x030
#define VIRTIO_QUEUE_NUM 0x038
#define VIRTIO_QUEUE_ALIGN 0x03c
#define VIRTIO_QUEUE_PFN 0x040
#define VIRTIO_QUEUE_NOTIFY 0x050
#define VIRTIO_INTERRUPT_STATUS 0x060
#define VIRTIO_INTERRUPT_ACK 0x064
#define VIRTIO_STATUS 0x070

#define VIRTIO_MAGIC 0x74726976
#define VIRTIO_LEGACY_VERSION 1
#define VIRTIO_ID_BLOCK 2

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4

#define QUEUE_SIZE 8

#define DESCRIPTOR_NEXT 1
#define DESCRIPTOR_WRITE 2 /* the device writes it */

struct virtq_descriptor {
	uint64_t address;
	uint32_t length;
	uint16_t flags;
	uint16_t next;
};

struct virtq_available {
	uint16_t flags;
	uint16_t index;
	uint16_t ring[QUEUE_SIZE];
};

struct virtq_used_element {
	uint32_t id;
	uint32_t length;
};

struct virtq_used {
	uint16_t flags;
	volatile uint16_t index;
	struct virtq_used_element ring[QUEUE_SIZE];
};

/* A legacy queue is one block of memory, the used ring on a page of its own. */
struct virtq {
	struct virtq_descriptor descriptors[QUEUE_SIZE];
	struct virtq_available available;
	struct virtq_used used __attribute__((aligned(4096)));
} __attribute__((aligned(4096)));

#endif
