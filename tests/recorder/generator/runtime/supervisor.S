/* Traps that are delegated to S-mode. */

  .balign 4
supervisor_entry:
  save_frame
  csrr t1, sepc
  sd t1, EPC(TP)
  csrr t2, sstatus
  sd t2, STATUS(TP)
  csrr t3, scause
  ld t4, SUPERVISOR_BUDGET(t0)
  addi t4, t4, -1
  sd t4, SUPERVISOR_BUDGET(t0)
  blez t4, supervisor_out_of_budget
  bltz t3, supervisor_interrupt
  addi t4, t3, -8
  beqz t4, supervisor_call
  addi t4, t3, -9
  bnez t4, supervisor_skip
supervisor_call:
  li t4, NEXT_SEGMENT
  beq a7, t4, 2f
  addi t4, t4, 2
  bne a7, t4, supervisor_skip
2:
  addi t3, t3, -9
  beqz t3, 1f
  ecall
1:
  csrr t4, mhartid
  j 1b
supervisor_skip:
#if NESTED
  slli t4, TP, 50
  srli t4, t4, 50
  addi t4, t4, -FRAME * 4
  bgtz t4, 1f
  csrsi sstatus, 2
  nop
  csrci sstatus, 2
1:
  csrw sstatus, t2
#endif
  bnez RS, resume_supervisor
  instruction_length sstatus
  j leave_supervisor
resume_supervisor:
  mv t1, RS
  li RS, 0
leave_supervisor:
  csrw sepc, t1
  ld t2, STATUS(TP)
  csrw sstatus, t2
  restore_frame
  sret

supervisor_out_of_budget:
  li a7, NEXT_SEGMENT + 2
  ecall
1:
  csrr t4, mhartid
  j 1b

supervisor_interrupt:
  slli t3, t3, 1
  srli t3, t3, 1
  addi t4, t3, -1
  beqz t4, supervisor_software
  addi t4, t3, -9
  beqz t4, supervisor_external
  li t4, 1
  sll t4, t4, t3
  csrc sie, t4
  j leave_supervisor
supervisor_software:
  csrci sip, 2
  j leave_supervisor
supervisor_external:
  ld t4, CLAIM_S(t0)
  lw t3, 0(t4)
  lui t2, 0x10000
  sb x0, 1(t2)
  sw t3, 0(t4)
  j leave_supervisor
