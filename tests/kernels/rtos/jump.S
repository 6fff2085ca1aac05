# Three ways to change stacks by hand.

.macro for_callee_saved operation
	\operation ra, 0(a0)
	\operation sp, 8(a0)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	\operation s\n, 8*\n+16(a0)
	.endr
.endm

# int set_jump(uint64_t place[14])
.text
.globl set_jump
set_jump:
	for_callee_saved sd
	li a0, 0
	ret

# void long_jump(uint64_t place[14]): set_jump returns 1
.globl long_jump
long_jump:
	for_callee_saved ld
	li a0, 1
	ret

# void resume(uint64_t save[14], uint64_t other[14])
.globl resume
resume:
	for_callee_saved sd
	mv a0, a1
	for_callee_saved ld
	ret

# long call_on_stack(long (*function)(long), long argument, void *top)
.globl call_on_stack
call_on_stack:
	addi a2, a2, -16
	sd ra, 8(a2)
	sd sp, 0(a2)
	mv sp, a2
	mv t0, a0
	mv a0, a1
	jalr t0
	ld ra, 8(sp)
	ld sp, 0(sp)
	ret
