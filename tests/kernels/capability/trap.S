.equ THREAD_KERNEL_SP, 24
.equ THREAD_SATP, 32
.equ THREAD_EPC, 40
.equ THREAD_STATUS, 48
.equ THREAD_X, 56

.include "frame.S"

.macro for_registers operation      # all but t0, in a thread's control block
	.irp n, 1,2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	\operation x\n, THREAD_X+8*\n(t0)
	.endr
.endm

.text
.balign 4
.globl trap_entry
trap_entry:
	csrrw t0, sscratch, t0
	for_registers sd
	csrr t1, sscratch
	sd t1, THREAD_X+8*5(t0)
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
	csrw sscratch, a0
	ld t1, THREAD_EPC(a0)
	ld t2, THREAD_STATUS(a0)
	ld t3, THREAD_SATP(a0)
	csrw sepc, t1
	csrw sstatus, t2
	csrw satp, t3
	sfence.vma
	mv t0, a0
	for_registers ld
	ld t0, THREAD_X+8*5(t0)
	sret

.globl wait_for_interrupts
wait_for_interrupts:
	wfi
	j wait_for_interrupts
