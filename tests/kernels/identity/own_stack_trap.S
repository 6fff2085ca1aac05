# Another trap entry: no stack is switched to, the kernel goes on where the user's sp is.
.include "frame.S"

.text
.balign 4
.globl trap_entry
trap_entry:
	addi sp, sp, -FRAME_SIZE
	save_registers
	addi t0, sp, FRAME_SIZE
	sd t0, FRAME_SP(sp)
	save_supervisor_state
	csrr tp, sscratch
	set_gp
	mv a0, sp
	call handle_trap

.globl return_from_trap
return_from_trap:
	csrw sscratch, tp
	restore_supervisor_state
	restore_registers
	ld sp, FRAME_SP(sp)
	sret
