# A trap frame: x1 to x31 in their places, then sepc and sstatus.

.equ FRAME_SIZE, 272
.equ FRAME_SP, 16
.equ FRAME_EPC, 256
.equ FRAME_STATUS, 264

.macro save_registers               # all but sp, to sp
	sd x1, 8(sp)
	.irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	sd x\n, 8*\n(sp)
	.endr
.endm

.macro restore_registers            # all but sp
	ld x1, 8(sp)
	.irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
	ld x\n, 8*\n(sp)
	.endr
.endm

.macro set_gp
.option push
.option norelax
	la gp, __global_pointer$
.option pop
.endm

.macro save_supervisor_state
	csrr t0, sepc
	csrr t1, sstatus
	sd t0, FRAME_EPC(sp)
	sd t1, FRAME_STATUS(sp)
.endm

.macro restore_supervisor_state     # leaves sstatus in t1
	ld t0, FRAME_EPC(sp)
	ld t1, FRAME_STATUS(sp)
	csrw sepc, t0
	csrw sstatus, t1
.endm
