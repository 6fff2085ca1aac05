"""Two harts: a reservation lost to the other one, and a hart that waits for an interrupt."""

from tests.recorder.exotics.model import Accesses, Content, Exotic, Ordered, Register, Runs, Touch, Trapped
from tests.recorder.exotics.source import guest
from tests.recorder.generator import layout
from tracedbg.query import Kind

_WORD = layout.DATA + 0x20
_FLAG = layout.DATA + 0x80
_SOFTWARE = 1 << 63 | 3
_ACKNOWLEDGE = f"""
  csrr t6, mcause
  bgez t6, finish
  csrr t6, mhartid
  slli t6, t6, 2
  li t5, {layout.CLINT:#x}
  add t6, t6, t5
  sw x0, 0(t6)
  mret
"""

EXOTICS = (
    Exotic(
        "reservation_lost_to_another_hart",
        guest(
            f"""
  li s0, {_WORD:#x}
  li s1, {_FLAG:#x}
  li s2, {layout.CLINT:#x}
  li s3, 1
  csrsi mie, 8
  csrr t0, mhartid
  bnez t0, other
  sw s3, 4(s2)
reserve: lr.d a0, (s0)
again: sw s3, 0(s2)
  wfi
  sw x0, 0(s2)
  ld a1, 0(s1)
  beqz a1, again
fails: sc.d a2, s3, (s0)
retry: lr.d a0, (s0)
  addi a0, a0, 1
holds: sc.d a3, a0, (s0)
end: quit
other: wfi
  sw x0, 4(s2)
  li a0, 0x100
change: amoadd.d x0, a0, (s0)
  sd s3, 0(s1)
stopped: wfi
  j stopped
"""
        ),
        (
            Runs("reserve", 1, hart=0),
            Runs("change", 1, hart=1),
            Ordered("reserve", "change"),
            Ordered("change", "fails"),
            Register("fails", "a2", 1),
            Accesses("fails", (), Kind.STORE),
            Register("holds", "a3", 0),
            Accesses("holds", (Touch(Kind.STORE, _WORD, 8, 0x101),), Kind.STORE),
            Content("end", _WORD, 8, 0x101),
        ),
        harts=2,
    ),
    Exotic(
        "waiting_hart_is_woken",
        guest(
            f"""
  li s0, {_WORD:#x}
  li s1, {_FLAG:#x}
  li s2, {layout.CLINT:#x}
  li s3, 1
  csrsi mie, 8
  csrr t0, mhartid
  bnez t0, other
again: sw s3, 0(s2)
  wfi
  sw x0, 0(s2)
  ld a1, 0(s1)
  beqz a1, again
call: sw s3, 4(s2)
wait: sw s3, 0(s2)
  wfi
  sw x0, 0(s2)
  ld a1, 0(s0)
  beqz a1, wait
end: quit
other: sd s3, 0(s1)
  csrsi mstatus, 8
parked: wfi
woken: li a4, 0x44
tell: sd a4, 0(s0)
  csrci mstatus, 8
stopped: wfi
  j stopped
""",
            handler=_ACKNOWLEDGE,
        ),
        (
            Runs("parked", 1, hart=1),
            Trapped("parked", _SOFTWARE, "woken", 0, "handler"),
            Ordered("parked", "call"),
            Ordered("call", "handler"),
            Ordered("handler", "woken"),
            Register("woken", "a4", 0x44),
            Content("end", _WORD, 8, 0x44),
        ),
        harts=2,
    ),
)
