/* Stacks that the harts boot on and schedule from; fixed at link time. */
#ifndef BOOT_STACK_H
#define BOOT_STACK_H

#define BOOT_STACK_SIZE 16384
#define BOOT_STACK_COUNT 2

#endif
