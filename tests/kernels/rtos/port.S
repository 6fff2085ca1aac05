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
	addi t0, sp, FRAME_SIZE
	sd t0, FRAME_SP(sp)
	csrr t0, mepc
	csrr t1, mstatus
	sd t0, FRAME_EPC(sp)
	sd t1, FRAME_STATUS(sp)
	set_gp
	mv a0, sp
	la sp, interrupt_stack_top
	call handle_trap
	mv sp, a0
	ld t0, FRAME_EPC(sp)
	ld t1, FRAME_STATUS(sp)
	csrw mepc, t0
	csrw mstatus, t1
	restore_registers
	ld sp, FRAME_SP(sp)
	mret

# void yield(void)
.globl yield
yield:
	li a7, 0
	ecall
	ret

# void task_exit(void)
.globl task_exit
task_exit:
	li a7, 1
	ecall

.section .bss
.balign 16
	.zero 2048
interrupt_stack_top:
