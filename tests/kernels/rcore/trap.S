.include "frame.S"

# sscratch holds the top of the running task's kernel stack while user code runs, else the user's sp. The
# context has sstatus before sepc.
.equ CONTEXT_SIZE, 272
.equ CONTEXT_STATUS, 256
.equ CONTEXT_PC, 264

.text
.balign 4
.globl all_traps
all_traps:
	csrrw sp, sscratch, sp
	addi sp, sp, -CONTEXT_SIZE
	save_registers
	csrr t0, sstatus
	csrr t1, sepc
	sd t0, CONTEXT_STATUS(sp)
	sd t1, CONTEXT_PC(sp)
	csrr t2, sscratch
	sd t2, 16(sp)
	set_gp
	mv a0, sp
	call trap_handler
.globl restore
restore:
	la t0, all_traps
	csrw stvec, t0
	ld t0, CONTEXT_STATUS(sp)
	ld t1, CONTEXT_PC(sp)
	ld t2, 16(sp)
	csrw sstatus, t0
	csrw sepc, t1
	csrw sscratch, t2
	restore_registers
	addi sp, sp, CONTEXT_SIZE
	csrrw sp, sscratch, sp
	sret

# fn switch(from: *mut TaskContext, to: *const TaskContext)
.globl switch
switch:
	sd ra, 0(a0)
	sd sp, 8(a0)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd s\n, 8*\n+16(a0)
	.endr
	ld ra, 0(a1)
	ld sp, 8(a1)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld s\n, 8*\n+16(a1)
	.endr
	ret

# base/start.S wants a vector of this name; traps of the kernel itself end it.
.balign 4
.globl trap_entry
trap_entry:
	j trap_from_kernel

.section .rodata
.globl linear_offset
.balign 8
linear_offset:
	.dword 0
