    .text
    .globl _start
_start:
    la sp, stack_top
    call main
spin:
    wfi
    j spin
    .globl asm_function
    .type asm_function, @function
asm_function:
    .cfi_startproc
    addi sp, sp, -32
    .cfi_def_cfa_offset 32
    sd ra, 24(sp)
    .cfi_offset ra, -8
inner_label:
    call far_call
    ld ra, 24(sp)
    .cfi_restore ra
    addi sp, sp, 32
    .cfi_def_cfa_offset 0
    ret
    .cfi_endproc
    .size asm_function, .-asm_function
    .bss
    .align 4
    .skip 4096
stack_top:
