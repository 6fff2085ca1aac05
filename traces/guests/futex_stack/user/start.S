/* Entry of every program. */
.section .text.start
.globl _start
.type _start, @function
_start:
    call main
    li a7, 93               /* exit */
    ecall
.size _start, . - _start
