.include "frame.S"

.text
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
