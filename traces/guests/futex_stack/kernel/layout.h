/* Physical memory of QEMU's `virt` machine with 16 MiB of RAM, and where devices sit. */
#ifndef LAYOUT_H
#define LAYOUT_H

#define RAM_BASE 0x80000000UL
#define RAM_END 0x81000000UL

#define KERNEL_BASE 0x80200000UL /* OpenSBI enters the next stage here */
#define BUMP_BASE 0x80400000UL	 /* memory handed out once, in order, never returned */
#define BUMP_END 0x80500000UL
#define FRAMES_BASE 0x80500000UL /* single frames behind the free list */
#define FRAMES_END 0x80800000UL

#define PLIC_BASE 0x0c000000UL
#define UART_BASE 0x10000000UL
#define VIRTIO_BASE 0x10001000UL
#define VIRTIO_STRIDE 0x1000UL
#define VIRTIO_SLOTS 8
#define VIRTIO_FIRST_IRQ 1

#define TIMEBASE_HZ 10000000UL
#define MAX_HARTS 2

#endif
