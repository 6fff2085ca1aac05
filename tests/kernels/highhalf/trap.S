.include "frame.S"

.text
.balign 4
.globl trap_entry
trap_entry:
	csrrw sp, sscratch, sp
	bnez sp, 1f
	csrrw sp, sscratch, sp          # sscratch is 0 while the kernel runs
	addi sp, sp, -FRAME_SIZE
	save_registers
	addi t0, sp, FRAME_SIZE
	j 2f
1:
	addi sp, sp, -FRAME_SIZE        # from user code
	save_registers
	csrrw t0, sscratch, zero
	ld tp, FRAME_SIZE(sp)
	set_gp
2:
	sd t0, FRAME_SP(sp)
	save_supervisor_state
	mv a0, sp
	call handle_trap

.globl return_from_trap
return_from_trap:
	restore_supervisor_state
	andi t1, t1, 1 << 8
	bnez t1, 1f
	addi t0, sp, FRAME_SIZE
	csrw sscratch, t0
1:
#ifdef PAUSE
	ld s0, 8*8(sp)                  # another hart runs in the middle of it all
	ld s1, 8*9(sp)
	li t0, 1 << 5
	csrw 0x14d, zero                # stimecmp
	csrw sie, t0
	wfi                             # an interrupt is pending
	csrw sie, zero
#endif
	restore_registers
	ld sp, FRAME_SP(sp)
	sret

# void switch_stacks(uint64_t *save_sp, uint64_t sp)
.globl switch_stacks
switch_stacks:
	addi sp, sp, -112
	sd ra, 0(sp)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd s\n, 8*\n+8(sp)
	.endr
	sd sp, 0(a0)
	mv sp, a1
	ld ra, 0(sp)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld s\n, 8*\n+8(sp)
	.endr
	addi sp, sp, 112
	ret
