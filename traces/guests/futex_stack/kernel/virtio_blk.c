/* Block device behind virtio-mmio: one request at a time, completion by interrupt. */
#include "console.h"
#include "errno.h"
#include "layout.h"
#include "plic.h"
#include "riscv.h"
#include "sched.h"
#include "virtio_blk.h"
#include "virtio_mmio.h"

#define REQUEST_READ 0

struct request_header {
	uint32_t type;
	uint32_t reserved;
	uint64_t sector;
};

static struct virtq queue;
static struct request_header header;
static volatile uint8_t request_status;

static paddr_t device;
static uint32_t device_irq;
static bool busy;      /* a request is under way; waiters sleep on `queue` */
static bool completed; /* it is done; its owner sleeps on `header` */
static uint16_t seen_used;

static bool is_block_device(paddr_t base)
{
	return mmio_read32(base + VIRTIO_MAGIC_VALUE) == VIRTIO_MAGIC &&
	       mmio_read32(base + VIRTIO_VERSION) == VIRTIO_LEGACY_VERSION &&
	       mmio_read32(base + VIRTIO_DEVICE_ID) == VIRTIO_ID_BLOCK;
}

static void find_device(void)
{
	for (uint32_t slot = 0; slot < VIRTIO_SLOTS; slot++) {
		paddr_t base = VIRTIO_BASE + slot * VIRTIO_STRIDE;

		if (!is_block_device(base))
			continue;
		device = base;
		device_irq = VIRTIO_FIRST_IRQ + slot;
		return;
	}
	panic("no virtio block device");
}

void virtio_blk_init(void)
{
	find_device();
	mmio_write32(device + VIRTIO_STATUS, 0);
	mmio_write32(device + VIRTIO_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
	mmio_write32(device + VIRTIO_GUEST_FEATURES, 0);
	mmio_write32(device + VIRTIO_GUEST_PAGE_SIZE, PAGE_SIZE);
	mmio_write32(device + VIRTIO_QUEUE_SEL, 0);
	mmio_write32(device + VIRTIO_QUEUE_NUM, QUEUE_SIZE);
	mmio_write32(device + VIRTIO_QUEUE_ALIGN, PAGE_SIZE);
	mmio_write32(device + VIRTIO_QUEUE_PFN, (uint32_t)((paddr_t)&queue / PAGE_SIZE));
	mmio_write32(device + VIRTIO_STATUS, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_DRIVER_OK);
	plic_enable(device_irq);
}

static void submit(uint64_t sector, void *buffer, size_t size)
{
	header = (struct request_header){ .type = REQUEST_READ, .sector = sector };
	queue.descriptors[0] = (struct virtq_descriptor){
		.address = (paddr_t)&header, .length = sizeof(header), .flags = DESCRIPTOR_NEXT, .next = 1
	};
	queue.descriptors[1] = (struct virtq_descriptor){ .address = (paddr_t)buffer,
							  .length = (uint32_t)size,
							  .flags = DESCRIPTOR_NEXT | DESCRIPTOR_WRITE,
							  .next = 2 };
	queue.descriptors[2] = (struct virtq_descriptor){ .address = (paddr_t)&request_status,
							  .length = 1,
							  .flags = DESCRIPTOR_WRITE };
	queue.available.ring[queue.available.index % QUEUE_SIZE] = 0;
	memory_barrier();
	queue.available.index++;
	memory_barrier();
	mmio_write32(device + VIRTIO_QUEUE_NOTIFY, 0);
}

int virtio_blk_read(uint64_t sector, void *buffer, size_t size)
{
	uint64_t saved = irq_save();
	int error;

	while (busy)
		sleep_on(&queue, NO_DEADLINE);
	busy = true;
	completed = false;
	submit(sector, buffer, size);
	while (!completed)
		sleep_on(&header, NO_DEADLINE);
	error = request_status ? -EIO : 0;
	busy = false;
	wake_up(&queue);
	irq_restore(saved);
	return error;
}

void virtio_blk_interrupt(uint32_t irq)
{
	if (irq != device_irq)
		return;
	mmio_write32(device + VIRTIO_INTERRUPT_ACK, mmio_read32(device + VIRTIO_INTERRUPT_STATUS));
	if (queue.used.index == seen_used)
		return;
	seen_used = queue.used.index;
	completed = true;
	wake_up(&header);
}
