/* Trap vectors of a generated guest. Handlers keep their frames on a stack of their own,
   whose pointer is TP; they use t0, t1, t2, t3, t4 and what SAVE_EXTRA saves. RS is where to go on, or zero. */

  .option norelax
  .section .text.runtime, "ax"
  .globl _start
_start:
  j boot
  .org 0x100
machine_direct:
  j machine_entry
  .balign 8
  nop
  j machine_entry
  .org 0x200
  .rept 32
  .option push
  .option norvc
  j machine_entry
  .option pop
  .endr
  .org 0x300
  .rept 32
  .option push
  .option norvc
  j machine_entry
  .option pop
  .endr
  .org 0x400
supervisor_direct:
  j supervisor_entry
  .balign 8
  nop
  j supervisor_entry
  .org 0x500
  .rept 32
  .option push
  .option norvc
  j supervisor_entry
  .option pop
  .endr
  .org 0x600
  .rept 32
  .option push
  .option norvc
  j supervisor_entry
  .option pop
  .endr
  .org 0x700

#define EPC 256
#define STATUS 264
#define BUDGET 8
#define TIMERS 16
#define SUPERVISOR_BUDGET 24
#define DEADLINE 32
#define SOFTWARE 40
#define COMPARE 48
#define CLAIM_M 56
#define CLAIM_S 64
#define DELTA 72
#define SEGMENT 0
