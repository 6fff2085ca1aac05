/*
 * Trap entry and return, for traps from user mode and from the kernel itself.
 *
 * sscratch holds the top of the task's kernel stack while user mode runs, and 0 while the kernel
 * runs. A trap from the kernel (an interrupt) goes on with the stack in use.
 */
#include "trap_frame.h"

.macro for_saved_registers operation
    .irp number, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, \
                 24, 25, 26, 27, 28, 29, 30, 31
    \operation x\number, (\number - 1) * 8(sp)
    .endr
.endm

.section .text
.balign 4
.globl trap_entry
.type trap_entry, @function
trap_entry:
    csrrw sp, sscratch, sp
    bnez sp, 1f
    csrr sp, sscratch
1:  addi sp, sp, -TRAP_FRAME_SIZE
    for_saved_registers sd
    csrrw t0, sscratch, zero
    sd t0, 8(sp)
    csrr t0, sepc
    sd t0, TRAP_FRAME_SEPC(sp)
    csrr t1, sstatus
    sd t1, TRAP_FRAME_SSTATUS(sp)
    csrr t0, scause
    sd t0, TRAP_FRAME_SCAUSE(sp)
    csrr t0, stval
    sd t0, TRAP_FRAME_STVAL(sp)
    andi t1, t1, 0x100          /* SPP: the kernel already has its own tp */
    bnez t1, 2f
    ld tp, TRAP_FRAME_HART(sp)
2:  mv a0, sp
    call trap_handler
    j trap_return
.size trap_entry, . - trap_entry

/* Leave through the trap frame at sp. Interrupts are off. */
.type trap_return, @function
trap_return:
    ld t0, TRAP_FRAME_SSTATUS(sp)
    andi t1, t0, 0x100
    bnez t1, 1f
    sd tp, TRAP_FRAME_HART(sp)
    addi t1, sp, TRAP_FRAME_SIZE
    csrw sscratch, t1
1:  csrw sstatus, t0
    ld t0, TRAP_FRAME_SEPC(sp)
    csrw sepc, t0
    for_saved_registers ld
    ld sp, 8(sp)
    sret
.size trap_return, . - trap_return

/* First steps of a task, on its own kernel stack with sp at its trap frame. */
.globl task_entry
.type task_entry, @function
task_entry:
    call task_start
    j trap_return
.size task_entry, . - task_entry
