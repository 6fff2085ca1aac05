# Registers are pushed into the control block of the thread, and loaded again through another pointer.
.equ THREAD_KERNEL_SP, 24
.equ THREAD_SATP, 32
.equ THREAD_EPC, 40
.equ THREAD_STATUS, 48
.equ THREAD_X, 56
.equ X_BYTES, 256

.include "frame.S"

.macro for_registers operation, base      # all but sp and t0
	.irp n, 1,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\operation x\n, 8*\n(\base)
	.endr
.endm

.text
.balign 4
.globl trap_entry
trap_entry:
	csrrw sp, sscratch, sp
	addi sp, sp, -X_BYTES
	for_registers sd, sp
	sd t0, 8*5(sp)
	csrr t1, sscratch
	sd t1, 8*2(sp)
	addi t0, sp, -THREAD_X
	csrr t1, sepc
	csrr t2, sstatus
	sd t1, THREAD_EPC(t0)
	sd t2, THREAD_STATUS(t0)
	ld sp, THREAD_KERNEL_SP(t0)
	set_gp
	mv a0, t0
	j handle_trap

# void resume(struct thread *thread)
.globl resume
resume:
	addi t0, a0, THREAD_X + X_BYTES
	csrw sscratch, t0
	ld t1, THREAD_EPC(a0)
	ld t2, THREAD_STATUS(a0)
	ld t3, THREAD_SATP(a0)
	csrw sepc, t1
	csrw sstatus, t2
	csrw satp, t3
	sfence.vma
	addi t0, a0, THREAD_X
	for_registers ld, t0
	ld sp, 8*2(t0)
	ld t0, 8*5(t0)
	sret

.globl wait_for_interrupts
wait_for_interrupts:
	wfi
	j wait_for_interrupts
