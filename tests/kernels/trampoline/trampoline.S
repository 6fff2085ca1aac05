# Mapped at TRAMPOLINE in every page table, so that the page table can be changed here.

.equ REGISTERS, (1 << 38) - 2 * 4096
.equ PC, 256
.equ KERNEL_SATP, 264
.equ KERNEL_SP, 272
.equ KERNEL_TP, 280
.equ KERNEL_GP, 288
.equ KERNEL_TRAP, 296

.section .text.trampoline, "ax"
.balign 4096
.globl trampoline
trampoline:

.globl user_vector
user_vector:
	csrw sscratch, a0
	li a0, REGISTERS
	.irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd x\n, 8*\n(a0)
	.endr
	csrr t0, sscratch
	sd t0, 80(a0)
	csrr t0, sepc
	sd t0, PC(a0)
	ld sp, KERNEL_SP(a0)
	ld tp, KERNEL_TP(a0)
	ld gp, KERNEL_GP(a0)
	ld t0, KERNEL_TRAP(a0)
	ld t1, KERNEL_SATP(a0)
	sfence.vma
	csrw satp, t1
	sfence.vma
	jr t0

# void user_resume(uint64_t satp)
.globl user_resume
user_resume:
	sfence.vma
	csrw satp, a0
	sfence.vma
	li a0, REGISTERS
	ld t0, PC(a0)
	csrw sepc, t0
	.irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld x\n, 8*\n(a0)
	.endr
	ld a0, 80(a0)
	sret
.balign 4096
