/* Boot, the way from segment to segment, and the end. */

next_segment:
  li t1, GLOBALS
  sub TP, t0, t1
  li RS, 0
  li a7, 0
  ld t1, SEGMENT(t0)
  ld t2, 0(t1)
  beqz t2, hart_done
  csrw mepc, t2
  ld t2, 16(t1)
  csrw satp, t2
  ld t2, 24(t1)
  csrw medeleg, t2
  ld t2, 32(t1)
  csrw mideleg, t2
  ld t2, 40(t1)
  csrw mtvec, t2
  ld t2, 48(t1)
  csrw stvec, t2
  ld t2, 56(t1)
  csrw menvcfg, t2
  ld t2, 64(t1)
  csrw mie, t2
  li t2, 7
  csrw mcounteren, t2
  csrw scounteren, t2
  li t2, 0x70
  csrw senvcfg, t2
  li t2, 0x222
  csrc mip, t2
  ld t2, 72(t1)
  sd t2, DELTA(t0)
  li t3, -1
  beqz t2, 1f
  li t4, MTIME
  ld t3, 0(t4)
  add t3, t3, t2
1:
  ld t4, COMPARE(t0)
  sd t3, 0(t4)
  addi t2, t1, 80
  sd t2, SEGMENT(t0)
  li t2, -1
  csrw mstatus, x0
  ld t2, 8(t1)
  csrw mstatus, t2
  mret

hart_done:
  csrw mie, x0
  csrw mstatus, x0
  la t1, done
  li t2, 1
  amoadd.w t2, t2, (t1)
  addi t2, t2, 1 - HARTS
  bnez t2, 1f
  li t1, FINISHER
  li t2, 0x5555
  sw t2, 0(t1)
1:
  wfi
  j 1b

lost:
  li t2, 0x93333
  j finish
too_late:
  li t2, 0x53333
  j finish
out_of_budget:
  li t2, 0x73333
finish:
  csrw mie, x0
  li t1, FINISHER
  sw t2, 0(t1)
1:
  wfi
  j 1b

boot:
  csrr t0, mhartid
  li t1, HARTS
  bgeu t0, t1, park
  li TP, HART_AREAS
  li t1, HART_AREA_SIZE
  mul t1, t1, t0
  add TP, TP, t1
  li t1, GLOBALS
  add t1, t1, TP
  sd t1, 0(TP)
  li t2, TRAP_BUDGET
  sd t2, BUDGET(t1)
  sd t2, SUPERVISOR_BUDGET(t1)
  li t2, TIMER_BUDGET
  sd t2, TIMERS(t1)
  li t2, MTIME
  ld t2, 0(t2)
  li t3, DEADLINE_TICKS
  add t2, t2, t3
  sd t2, DEADLINE(t1)
  slli t2, t0, 2
  li t3, CLINT
  add t2, t2, t3
  sd t2, SOFTWARE(t1)
  slli t2, t0, 3
  add t2, t2, t3
  li t3, 0x4000
  add t2, t2, t3
  sd t2, COMPARE(t1)
  slli t2, t0, 13
  li t3, PLIC + 0x200004
  add t2, t2, t3
  sd t2, CLAIM_M(t1)
  li t3, 0x1000
  add t2, t2, t3
  sd t2, CLAIM_S(t1)
  la t2, segment_lists
  slli t3, t0, 3
  add t2, t2, t3
  ld t2, 0(t2)
  sd t2, SEGMENT(t1)
#if PROTECTED
  li t2, DENIED_PMP
  csrw pmpaddr0, t2
  li t2, -1
  csrw pmpaddr1, t2
  li t2, 0x1f18
  csrw pmpcfg0, t2
#else
  li t2, -1
  csrw pmpaddr0, t2
  li t2, 0x1f
  csrw pmpcfg0, t2
#endif
  la t2, machine_direct
  csrw mtvec, t2
  mv t2, t1
  bnez t0, wait_for_go
  call_copy:
  li t0, 0
copy_page:
  li t1, STREAMS
  slli t3, t0, 12
  add t1, t1, t3
  la t3, streams_end
  bgeu t1, t3, copied
  li t3, 37
  mul t3, t0, t3
  li t4, CODE_COPY_FRAMES
  remu t3, t3, t4
  slli t3, t3, 12
  li t4, CODE_COPY
  add t3, t3, t4
  li t4, 128
1:
  ld a0, 0(t1)
  ld a1, 8(t1)
  ld a2, 16(t1)
  ld a3, 24(t1)
  sd a0, 0(t3)
  sd a1, 8(t3)
  sd a2, 16(t3)
  sd a3, 24(t3)
  addi t1, t1, 32
  addi t3, t3, 32
  addi t4, t4, -1
  bnez t4, 1b
  addi t0, t0, 1
  j copy_page
copied:
  fence.i
  la t0, go
  li t1, 1
  amoswap.w x0, t1, (t0)
  li t0, CLINT
  li t1, 1
#if HARTS > 1
  sw t1, 4(t0)
#endif
#if HARTS > 2
  sw t1, 8(t0)
#endif
  j start_segments
wait_for_go:
  csrwi mie, 8
  la t0, go
1:
  wfi
  lw t1, 0(t0)
  beqz t1, 1b
  ld t0, SOFTWARE(t2)
  sw x0, 0(t0)
start_segments:
  mv t0, t2
  li t1, 0x6000
  csrs mstatus, t1
  la t2, random_words
  FLOATS
  j next_segment
park:
  csrw mie, x0
1:
  wfi
  j 1b

  .section .data.runtime, "aw"
  .balign 8
done:
  .dword 0
go:
  .dword 0
