/*
 * Entry of every hart, in S-mode with paging off. a0: hart id.
 * OpenSBI starts the boot hart with a1 = device tree; hart_start() in smp.c starts the others with
 * a1 = 0, which is how they tell themselves apart.
 */
#include "boot_stack.h"

.section .text.boot
.globl _start
.type _start, @function
_start:
    csrw sie, zero
    la sp, boot_stacks
    li t0, BOOT_STACK_SIZE
    addi t1, a0, 1
    mul t0, t0, t1
    add sp, sp, t0
    beqz a1, 2f
    la t0, bss_start
    la t1, bss_end
1:  bgeu t0, t1, 3f
    sd zero, 0(t0)
    addi t0, t0, 8
    j 1b
2:  call secondary_main
3:  call kernel_main
.size _start, . - _start

.section .boot_stacks, "aw", @nobits
.balign 16
boot_stacks:
    .space BOOT_STACK_SIZE * BOOT_STACK_COUNT
