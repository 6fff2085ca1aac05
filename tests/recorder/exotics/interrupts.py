"""Interrupts with the exact instruction that they come after."""

from tests.recorder.exotics.model import Exotic, Ordered, Register, Runs, Trapped
from tests.recorder.exotics.source import Space, enable, guest
from tests.recorder.generator import layout

_SOFTWARE = 1 << 63 | 3
_TIMER = 1 << 63 | 7
_SUPERVISOR = 1 << 63 | 1
_PLAIN = Space()
_ACKNOWLEDGE = f"""
  csrr t6, mcause
  bgez t6, finish
  li t6, {layout.CLINT:#x}
  sw x0, 0(t6)
  mret
"""
_PENDING = f"""
  csrci mstatus, 8
  csrsi mie, 8
  li a0, {layout.CLINT:#x}
  li a1, 1
  sw a1, 0(a0)
  nop
"""
_OUT_OF_LOOP = """
  csrr t6, mcause
  bgez t6, finish
  csrw mie, x0
  la t6, left
  csrw mepc, t6
  mret
"""
_SUPERVISOR_PENDING = f"""
  csrwi mideleg, 2
  la t0, in_trap
  csrw stvec, t0
{enable(_PLAIN.satp)}
  enter 1, in_kernel
  .balign 4
in_trap: csrci sip, 2
leave: sret
in_kernel:
  csrci sstatus, 2
  csrsi sie, 2
  csrsi sip, 2
  nop
"""

# A timer of machine mode runs out somewhere in the supervisor's handler, which takes its own interrupt a
# second time at the same place: with each delay of 0 to 255 instructions, some run out right behind the sret.
_TWICE_AT_ONE_PLACE = f"""
  csrwi mideleg, 2
  la s6, in_trap
  csrw stvec, s6
  li s0, {layout.MTIME:#x}
  li s1, {layout.CLINT + 0x4000:#x}
  li t0, 0x80
  csrw mie, t0
  enter 1, in_kernel
  .balign 4
in_trap:
  csrci sip, 2
  beqz s2, leave
  li s2, 0
  csrsi sip, 2
  jr s7
  .rept 256
  nop
  .endr
slide:
leave: sret
in_kernel:
  csrsi sie, 2
  csrsi sstatus, 2
  la s8, slide
  li s3, 512
round:
  andi s7, s3, 255
  slli s7, s7, 2
  sub s7, s8, s7
  li s2, 1
  li s4, 0
  ld a1, 0(s0)
  addi a1, a1, 2
  sd a1, 0(s1)
  csrsi sip, 2
place: nop
wait: beqz s4, wait
  addi s3, s3, -1
  bnez s3, round
end: quit
"""
_NOTICE_BEFORE_SUPERVISOR = """
  csrr t6, mcause
  bgez t6, finish
  li t6, -1
  sd t6, 0(s1)
  li s4, 1
  csrr t6, mepc
  bne t6, s6, elsewhere
  csrr t6, sepc
  la t5, place
  bne t6, t5, elsewhere
  bnez s2, elsewhere
noticed: nop
elsewhere: mret
"""

# The same with the instruction that moves the trap vector, to and fro between two places.
_BEHIND_A_NEW_VECTOR = f"""
  la s6, first
  la s7, second
  csrw mtvec, s6
  li s0, {layout.MTIME:#x}
  li s1, {layout.CLINT + 0x4000:#x}
  li t0, -1
  sd t0, 0(s1)
  li t0, 0x80
  csrw mie, t0
  csrsi mstatus, 8
  la s8, slide
  li s3, 512
round:
  mv t0, s6
  mv s6, s7
  mv s7, t0
  andi t1, s3, 255
  slli t1, t1, 2
  sub t1, s8, t1
  li s4, 0
  ld a1, 0(s0)
  addi a1, a1, 2
  sd a1, 0(s1)
  jr t1
  .rept 256
  nop
  .endr
slide:
set: csrw mtvec, s6
next: nop
wait: beqz s4, wait
  addi s3, s3, -1
  bnez s3, round
end: quit
  .balign 4
first: j handler
second: j handler
"""
_NOTICE_BEHIND_A_NEW_VECTOR = """
  csrr t6, mcause
  bgez t6, finish
  li t6, -1
  sd t6, 0(s1)
  li s4, 1
  csrr t6, mepc
  la t5, next
  bne t6, t5, elsewhere
noticed: nop
elsewhere: mret
"""

EXOTICS = (
    Exotic(
        "interrupt_after_jalr",
        guest(
            f"""
  li a0, {layout.MTIME:#x}
  ld a1, 0(a0)
  li a2, 300000
  add a1, a1, a2
  li a0, {layout.CLINT + 0x4000:#x}
  sd a1, 0(a0)
  li a2, 0x80
  csrw mie, a2
  la a3, spin
  csrsi mstatus, 8
spin: jalr a4, 0(a3)
behind: nop
left:
end: quit
""",
            handler=_OUT_OF_LOOP,
        ),
        (
            Trapped("spin", _TIMER, "spin", 0, "handler", nth=-1),
            Register("spin", "a4", "behind", nth=-1),
            Runs("behind", 0),
        ),
    ),
    Exotic(
        "interrupt_after_mstatus_is_set",
        guest(f"{_PENDING}\nallow: csrsi mstatus, 8\nnext: nop\nend: quit\n", handler=_ACKNOWLEDGE),
        (
            Trapped("allow", _SOFTWARE, "next", 0, "handler"),
            Ordered("allow", "handler"),
            Ordered("handler", "next"),
            Runs("next", 1),
            Register("allow", "mstatus", 0x1880, mask=0x1888),
        ),
    ),
    Exotic(
        "interrupt_after_mtvec_is_set",
        guest(_BEHIND_A_NEW_VECTOR, handler=_NOTICE_BEHIND_A_NEW_VECTOR),
        (Ordered("noticed", "end"), Runs("set", 512), Runs("next", 512), Runs("end", 1)),
        qemu_args=("-icount", "shift=0"),
    ),
    Exotic(
        "interrupt_after_mret",
        guest(
            f"""{_PENDING}
  li t0, 0x1880
  csrs mstatus, t0
  la t0, target
  csrw mepc, t0
leave: mret
skipped: nop
target: li a5, 9
end: quit
""",
            handler=_ACKNOWLEDGE,
        ),
        (
            Trapped("leave", _SOFTWARE, "target", 0, "handler"),
            Runs("skipped", 0),
            Runs("target", 1),
            Ordered("handler", "target"),
        ),
    ),
    Exotic(
        "interrupt_after_sstatus_is_set",
        guest(
            f"{_SUPERVISOR_PENDING}\nallow: csrsi sstatus, 2\nnext: nop\nend: quit\n", tables=_PLAIN.assembly
        ),
        (
            Trapped("allow", _SUPERVISOR, "next", 0, "in_trap", source=1, target=1),
            Ordered("in_trap", "next"),
            Register("allow", "sepc", "next"),
            Register("allow", "scause", _SUPERVISOR),
        ),
    ),
    Exotic(
        "interrupt_after_sret",
        guest(
            f"""{_SUPERVISOR_PENDING}
  li t0, 0x120
  csrs sstatus, t0
  la t0, target
  csrw sepc, t0
back: sret
skipped: nop
target: li a5, 9
end: quit
""",
            tables=_PLAIN.assembly,
        ),
        (
            Trapped("back", _SUPERVISOR, "target", 0, "in_trap", source=1, target=1),
            Runs("skipped", 0),
            Runs("target", 1),
            Ordered("leave", "target"),
        ),
    ),
    Exotic(
        "vectored_interrupt",
        guest(
            f"""
  la t0, table
  ori t0, t0, 1
  csrw mtvec, t0
{_PENDING}
allow: csrsi mstatus, 8
next: nop
end: quit
  .balign 64
table: j finish
  j finish
  j finish
entry: j handler
""",
            handler=_ACKNOWLEDGE,
        ),
        (
            Trapped("allow", _SOFTWARE, "next", 0, "entry"),
            Ordered("entry", "handler"),
            Runs("entry", 1),
            Runs("table", 1),
        ),
    ),
    Exotic(
        "the_same_interrupt_twice_and_a_machine_timer_behind",
        guest(_TWICE_AT_ONE_PLACE, handler=_NOTICE_BEFORE_SUPERVISOR),
        (
            Ordered("noticed", "end"),
            Runs("leave", 1024),
            Trapped("leave", _SUPERVISOR, "place", 0, "in_trap", source=1, target=1),
            Runs("end", 1),
        ),
        qemu_args=("-icount", "shift=0"),
    ),
)
