.include "frame.S"

# void switch_stacks(uint64_t *save_sp, uint64_t sp)
.text
.globl switch_stacks
switch_stacks:
	addi sp, sp, -112
	sd ra, 104(sp)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd s\n, 8*\n(sp)
	.endr
	sd sp, (a0)
	mv sp, a1
	ld ra, 104(sp)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld s\n, 8*\n(sp)
	.endr
	addi sp, sp, 112
	ret

# Nothing comes back from here: what interrupts this kernel ends it.
.balign 4
.globl trap_entry
trap_entry:
	csrw sscratch, sp
	la sp, emergency_stack_top
	addi sp, sp, -FRAME_SIZE
	save_registers
	csrr t0, sscratch
	sd t0, FRAME_SP(sp)
	csrr a0, scause
	csrr a1, sepc
	csrr a2, stval
	call panic_on_trap

.section .bss
.balign 16
	.zero 4096
emergency_stack_top:
