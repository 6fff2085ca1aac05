# Machine mode on two harts: a stack for each; any trap but a call ends the machine.
    .section .text.start, "ax"
    .globl _start
    .type _start, @function
_start:
    .cfi_startproc
    .cfi_undefined ra
    csrr a0, mhartid
    la t0, on_trap
    csrw mtvec, t0
    li t0, 0x2000                   # floating point on
    csrs mstatus, t0
    la sp, stacks
    addi t0, a0, 1
    slli t0, t0, 12
    add sp, sp, t0
    bnez a0, 1f
    call consumer
1:  call producer
2:  j 2b
    .cfi_endproc
    .size _start, . - _start

    .macro each_register operation
    .irp number, 1, 5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 28, 29, 30, 31
    \operation x\number, (\number * 8)(sp)
    .endr
    .endm

    .balign 4
    .globl on_trap
    .type on_trap, @function
on_trap:
    addi sp, sp, -256
    each_register sd
    csrr t0, mcause
    li t1, 11                       # environment call from machine mode
    bne t0, t1, power_off
    mv a0, sp
    call on_call
    csrr t0, mepc
    addi t0, t0, 4
    csrw mepc, t0
    each_register ld
    addi sp, sp, 256
    mret
power_off:
    li t0, 0x100000                 # the test device
    li t1, 0x5555
    sw t1, 0(t0)
1:  j 1b
    .size on_trap, . - on_trap

    .bss
    .balign 4096
    .globl stacks
stacks:
    .skip 8192
