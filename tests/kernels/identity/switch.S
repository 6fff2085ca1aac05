.macro for_saved operation, task
	\operation ra, 24(\task)
	\operation sp, 32(\task)
	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11
	\operation s\n, 40+8*\n(\task)
	.endr
.endm

# void switch_to(struct task *from, struct task *to)
.text
.weak switch_to
switch_to:
	for_saved sd, a0
	ld t0, 16(a1)
	csrw satp, t0
	sfence.vma
	mv tp, a1
	for_saved ld, a1
	ret
