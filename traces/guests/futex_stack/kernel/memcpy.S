/* void *memcpy(void *destination, const void *source, size_t size), for kernel and programs. */
.section .text
.globl memcpy
.type memcpy, @function
memcpy:
    .cfi_startproc
    mv a3, a0
    or a4, a0, a1
    andi a4, a4, 7
    bnez a4, 2f
    li a5, 8
1:  bltu a2, a5, 2f
    ld a4, 0(a1)
    sd a4, 0(a3)
    addi a1, a1, 8
    addi a3, a3, 8
    addi a2, a2, -8
    j 1b
2:  beqz a2, 3f
    lbu a4, 0(a1)
    sb a4, 0(a3)
    addi a1, a1, 1
    addi a3, a3, 1
    addi a2, a2, -1
    j 2b
3:  ret
    .cfi_endproc
.size memcpy, . - memcpy
