# void switch_stacks(uint64_t *save_sp, uint64_t sp)
.text
.globl switch_stacks
switch_stacks:
	addi sp, sp, -112
	sd ra, 104(sp)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	sd s\n, 8*\n(sp)
	.endr
	sd sp, (a0)
	mv sp, a1
	ld ra, 104(sp)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	ld s\n, 8*\n(sp)
	.endr
	addi sp, sp, 112
	ret
