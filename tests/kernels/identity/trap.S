.include "frame.S"

.text
.balign 4
.globl trap_entry
trap_entry:
	csrrw tp, sscratch, tp
	bnez tp, 1f
	csrrw tp, sscratch, tp          # sscratch is 0 while the kernel runs
	addi sp, sp, -FRAME_SIZE
	save_registers
	addi t0, sp, FRAME_SIZE
	j 2f
1:
	sd sp, 8(tp)
	ld sp, 0(tp)
	addi sp, sp, -FRAME_SIZE
	save_registers
	csrrw t0, sscratch, zero
	sd t0, 8*4(sp)                  # the user's tp
	set_gp
	ld t0, 8(tp)
2:	sd t0, FRAME_SP(sp)
	save_supervisor_state
	mv a0, sp
	call handle_trap

.globl return_from_trap
return_from_trap:
	restore_supervisor_state
	andi t1, t1, 1 << 8
	bnez t1, 1f
	csrw sscratch, tp
1:	restore_registers
	ld sp, FRAME_SP(sp)
	sret
