# Entry in S-mode from OpenSBI, traps, and the way into user mode.
    .section .text.start, "ax"
    .globl _start
    .type _start, @function
_start:
    .cfi_startproc
    .cfi_undefined ra
    la sp, stack_top
    call main
1:  wfi
    j 1b
    .cfi_endproc
    .size _start, . - _start

    .macro each_register operation
    .irp number, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
    \operation x\number, (\number * 8)(sp)
    .endr
    .endm

    .text
    .balign 4
    .globl trap_entry
    .type trap_entry, @function
trap_entry:                         # sscratch: the kernel stack while user mode runs, else 0
    csrrw sp, sscratch, sp
    bnez sp, 1f
    csrr sp, sscratch
1:  addi sp, sp, -272
    each_register sd
    csrrw t0, sscratch, zero
    sd t0, 16(sp)
    csrr t0, sepc
    sd t0, 256(sp)
    csrr t1, sstatus
    sd t1, 264(sp)
    mv a0, sp
    call on_trap
    ld t0, 256(sp)
    csrw sepc, t0
    ld t1, 264(sp)
    csrw sstatus, t1
    andi t1, t1, 0x100
    bnez t1, 2f
    addi t0, sp, 272
    csrw sscratch, t0
2:  each_register ld
    ld sp, 16(sp)
    sret
    .size trap_entry, . - trap_entry

    .globl enter_user
    .type enter_user, @function
enter_user:                         # (pc, sp), called with sscratch free
    csrw sepc, a0
    csrw sscratch, sp
    li t0, 0x100
    csrc sstatus, t0
    li t0, 0x20
    csrs sstatus, t0
    mv sp, a1
    sret
    .size enter_user, . - enter_user

    .globl load_or_fault            # (address): on a page fault the trap handler skips the load
    .type load_or_fault, @function
load_or_fault:
    .cfi_startproc
    .option push
    .option norvc
    li a1, 0
    ld a1, 0(a0)
    .option pop
    mv a0, a1
    ret
    .cfi_endproc
    .size load_or_fault, . - load_or_fault

    .section .user, "ax"
    .balign 4096
    .globl user_code
user_code:
    li s1, ROUNDS
1:  addi sp, sp, -16
    sd s1, 8(sp)
    mv a0, s1
    li a7, 1
    ecall
    ld s1, 8(sp)
    addi sp, sp, 16
    addi s1, s1, -1
    bnez s1, 1b
    li a7, 0
    ecall
2:  j 2b
    .balign 4096

    .bss
    .balign 4096
    .globl user_stack
user_stack:
    .skip 4096
    .skip 16384
stack_top:
