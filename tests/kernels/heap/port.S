.include "frame.S"

.section .text.start, "ax"
.globl _start
_start:
	csrr t0, mhartid
1:	bnez t0, 1b
	set_gp
	la sp, interrupt_stack_top
	la t0, trap_entry
	csrw mtvec, t0
	call kernel_main

.text
.balign 4
.globl trap_entry
trap_entry:
	addi sp, sp, -FRAME_SIZE
	save_registers
	csrr t0, mepc
	csrr t1, mstatus
	sd t0, FRAME_EPC(sp)
	sd t1, FRAME_STATUS(sp)
	set_gp
	mv s0, sp
	la t2, nesting
	ld t3, (t2)
	addi t4, t3, 1
	sd t4, (t2)
	bnez t3, 1f
	ld t5, running
	sd sp, (t5)                     # running->frame
	la sp, interrupt_stack_top
1:	csrr a0, mcause
	mv a1, s0
	call handle_trap
	la t2, nesting
	ld t3, (t2)
	addi t3, t3, -1
	sd t3, (t2)
	mv sp, s0
	bnez t3, restore_frame

.globl start_first_task
start_first_task:
	ld t5, running
	ld sp, (t5)
restore_frame:
	ld t0, FRAME_EPC(sp)
	ld t1, FRAME_STATUS(sp)
	csrw mepc, t0
	csrw mstatus, t1
	restore_registers
	addi sp, sp, FRAME_SIZE
	mret

# Other variables lie far below.
.section .bss
.balign 16
	.zero 512
.globl running
running:
	.dword 0
.globl nesting
nesting:
	.dword 0
.globl interrupt_stack
interrupt_stack:
	.zero 2048
.globl interrupt_stack_top
interrupt_stack_top:
