/* Traps that M-mode handles, and what both handlers save and restore. */

  .macro save_frame
  addi TP, TP, FRAME
  sd t0, 40(TP)
  sd t1, 48(TP)
  sd t2, 56(TP)
  sd t3, 224(TP)
  sd t4, 232(TP)
  SAVE_EXTRA
  ld t0, -FRAME(TP)
  sd t0, 0(TP)
  .endm

  .macro restore_frame
  RESTORE_EXTRA
  ld t0, 40(TP)
  ld t1, 48(TP)
  ld t2, 56(TP)
  ld t3, 224(TP)
  ld t4, 232(TP)
  addi TP, TP, -FRAME
  .endm

  .macro instruction_length status
#if COMPRESSED
  li t4, 0xc0000
  .ifc \status, mstatus
  li t4, 0xa0000
  .endif
  csrrs x0, \status, t4
  li t3, 3
  lhu t3, 0(t1)
  csrw \status, t2
  andi t3, t3, 3
  addi t3, t3, -3
  snez t3, t3
  slli t3, t3, 1
  sub t1, t1, t3
#endif
  addi t1, t1, 4
  .endm

  .balign 4
machine_entry:
  save_frame
  csrr t1, mepc
  sd t1, EPC(TP)
  csrr t2, mstatus
  sd t2, STATUS(TP)
  csrr t3, mcause
  ld t4, BUDGET(t0)
  addi t4, t4, -1
  sd t4, BUDGET(t0)
  blez t4, out_of_budget
  bltz t3, machine_interrupt
  addi t4, t3, -2
  beqz t4, machine_call
  addi t4, t3, -8
  bltz t4, machine_skip
  addi t4, t3, -11
  bgtz t4, machine_skip
machine_call:
  li t4, NEXT_SEGMENT
  beq a7, t4, next_segment
  addi t4, t4, 1
  beq a7, t4, raise_to_machine
  addi t4, t4, 1
  beq a7, t4, out_of_budget
  csrr t4, mtval
  li t0, 0x10200073
  beq t4, t0, allow_return
machine_skip:
#if NESTED
  slli t4, TP, 50
  srli t4, t4, 50
  addi t4, t4, -FRAME * 4
  bgtz t4, 1f
  csrsi mstatus, 8
  nop
  csrci mstatus, 8
  bnez RS, 1f
  .option push
  .option norvc
  ebreak
  .option pop
1:
  csrw mstatus, t2
#endif
  bnez RS, resume_machine
  addi t4, t3, -1
  beqz t4, lost
  addi t4, t3, -12
  beqz t4, lost
  beqz t3, lost
  instruction_length mstatus
  j leave_machine
resume_machine:
  mv t1, RS
  li RS, 0
leave_machine:
  csrw mepc, t1
  ld t2, STATUS(TP)
  csrw mstatus, t2
  restore_frame
  mret

allow_return:
  li t4, 1 << 22
  and t0, t2, t4
  beqz t0, machine_skip
  xor t2, t2, t4
  sd t2, STATUS(TP)
  j leave_machine

raise_to_machine:
  li a7, 0
  sd a7, 136(TP)
  li t4, 0x1800
  or t2, t2, t4
  sd t2, STATUS(TP)
  addi t1, t1, 4
  j leave_machine

machine_interrupt:
  slli t3, t3, 1
  srli t3, t3, 1
  addi t4, t3, -3
  beqz t4, machine_software
  addi t4, t3, -7
  beqz t4, machine_timer
  addi t4, t3, -11
  beqz t4, machine_external
  li t4, 1
  sll t4, t4, t3
  csrc mip, t4
  csrc mie, t4
  j leave_machine
machine_software:
  ld t4, SOFTWARE(t0)
  sw x0, 0(t4)
  j leave_machine
machine_external:
  ld t4, CLAIM_M(t0)
  lw t3, 0(t4)
  lui t2, 0x10000
  sb x0, 1(t2)
  sw t3, 0(t4)
  j leave_machine
machine_timer:
  li t4, MTIME
  ld t3, 0(t4)
  ld t4, DEADLINE(t0)
  bltu t4, t3, too_late
  ld t4, TIMERS(t0)
  addi t4, t4, -1
  sd t4, TIMERS(t0)
  ld t2, DELTA(t0)
  add t3, t3, t2
  beqz t2, 1f
  bgtz t4, 2f
1:
  li t3, -1
2:
  ld t4, COMPARE(t0)
  sd t3, 0(t4)
  j leave_machine
