/* switch_context(struct context *save, const struct context *load): go on in another context. */
.section .text
.globl switch_context
.type switch_context, @function
switch_context:
    sd ra, 0(a0)
    sd sp, 8(a0)
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
    sd s\number, 16 + \number * 8(a0)
    ld s\number, 16 + \number * 8(a1)
    .endr
    ld ra, 0(a1)
    ld sp, 8(a1)
    ret
.size switch_context, . - switch_context
