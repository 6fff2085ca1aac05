# Reset: from M-mode straight into the kernel's S-mode, all traps delegated. a0: hart.

.include "frame.S"

.section .text.start, "ax"
.globl _start
_start:
	csrr a0, mhartid
	li t0, -1
	csrw pmpaddr0, t0
	li t0, 0x1f
	csrw pmpcfg0, t0
	li t0, 0xb1ff
	csrw medeleg, t0
	li t0, 0x222
	csrw mideleg, t0
	li t0, 1 << 63
	csrw 0x30a, t0          # menvcfg.STCE: S-mode has a timer
	li t0, 2
	csrw mcounteren, t0
	li t0, 1 << 11          # MPP: S
	csrw mstatus, t0
	la t0, boot_root
	srli t0, t0, 12
	li t1, 8 << 60
	or t0, t0, t1
	csrw satp, t0
	sfence.vma
	ld t0, kernel_entry
	csrw mepc, t0
	mret

.balign 8
kernel_entry:
	.dword supervisor

# Device and RAM gigapages, at their own addresses and from 0xffffffc000000000 on.
.section .data.boot_root, "aw"
.balign 4096
.globl boot_root
boot_root:
	.dword 0xcf
	.dword 0
	.dword (0x80000000 >> 12 << 10) | 0xcf
	.zero 8 * 253
	.dword 0xcf
	.dword 0
	.dword (0x80000000 >> 12 << 10) | 0xcf
	.zero 8 * 253

.text
supervisor:
	set_gp
	la sp, boot_stacks
	slli t0, a0, 13
	add sp, sp, t0
	li t0, 8192
	add sp, sp, t0
	mv tp, zero
	la t0, trap_entry
	csrw stvec, t0
	csrw sscratch, zero
	call kernel_main
1:	wfi
	j 1b

.section .bss
.balign 4096
.globl boot_stacks
boot_stacks:
	.zero 2 * 8192
