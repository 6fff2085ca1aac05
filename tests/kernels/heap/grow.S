# void ensure_room(void): the caller goes on where move_stack puts its frames
.text
.weak move_stack
.globl ensure_room
ensure_room:
	csrrci t0, mstatus, 8
	addi sp, sp, -32
	sd ra, 24(sp)
	sd s0, 16(sp)
	sd t0, 8(sp)
	mv a0, sp
	la sp, interrupt_stack_top
	call move_stack
	mv sp, a0
	ld ra, 24(sp)
	ld s0, 16(sp)
	ld t0, 8(sp)
	addi sp, sp, 32
	andi t0, t0, 8
	csrs mstatus, t0
	ret
