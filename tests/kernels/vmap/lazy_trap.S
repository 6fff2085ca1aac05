.include "frame.S"

# Faults are handled on a stack of their own: what faults is a stack, where no frame can be put.
.text
.balign 4
.globl trap_entry
trap_entry:
	csrw sscratch, sp
	la sp, fault_stack_top
	addi sp, sp, -FRAME_SIZE
	save_registers
	csrr t0, sscratch
	sd t0, FRAME_SP(sp)
	save_supervisor_state
	csrr a0, scause
	csrr a1, stval
	csrr a2, sepc
	call handle_fault
	restore_supervisor_state
	restore_registers
	ld sp, FRAME_SP(sp)
	sret

.section .bss
.balign 16
	.zero 4096
fault_stack_top:
