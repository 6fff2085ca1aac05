# Reset, and the places where control comes from elsewhere than C.
.include "frame.S"

.equ VECTOR_FRAME, 256

.section .text.start, "ax"
.globl _start
_start:
	set_gp
	csrr tp, mhartid
	la sp, boot_stacks
	addi t0, tp, 1
	slli t0, t0, 12
	add sp, sp, t0
	call machine_start

# Machine mode's clock: sets the next one, and passes this one on as a software interrupt.
.text
.balign 4
.globl clock_vector
clock_vector:
	csrrw a0, mscratch, a0
	sd a1, 0(a0)
	sd a2, 8(a0)
	ld a1, 16(a0)
	ld a2, 24(a0)
	sd a3, 32(a0)
	ld a3, (a1)
	add a3, a3, a2
	sd a3, (a1)
	li a1, 2
	csrw sip, a1
	ld a3, 32(a0)
	ld a2, 8(a0)
	ld a1, 0(a0)
	csrrw a0, mscratch, a0
	mret

# A trap in the kernel is handled on the stack in use. STORE_FIRST: sp stays where it is if that traps.
.balign 4
.globl kernel_vector
kernel_vector:
#ifdef STORE_FIRST
	sd ra, -VECTOR_FRAME(sp)
#endif
	addi sp, sp, -VECTOR_FRAME
	.irp n, 1,3,5,6,7,10,11,12,13,14,15,16,17,28,29,30,31
	sd x\n, 8*\n-8(sp)
	.endr
	call kernel_trap
	.irp n, 1,3,5,6,7,10,11,12,13,14,15,16,17,28,29,30,31
	ld x\n, 8*\n-8(sp)
	.endr
	addi sp, sp, VECTOR_FRAME
	sret

# void switch_context(struct context *from, const struct context *to)
.globl switch_context
switch_context:
	sd ra, 0(a0)
	sd sp, 8(a0)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd s\n, 16+8*\n(a0)
	.endr
	ld ra, 0(a1)
	ld sp, 8(a1)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld s\n, 16+8*\n(a1)
	.endr
	ret

.section .bss
.balign 4096
boot_stacks:
	.zero 3 * 4096
