# Where every user task begins, with its number in a0.
.section .user.start, "ax"
.globl user_start
user_start:
	call user_main
1:	j 1b
