"""Machines other than virt."""

from tests.recorder.exotics.model import Exotic, Register, Runs, Trapped
from tests.recorder.exotics.source import guest
from tests.recorder.generator import layout

_BREAKPOINT = 3
_WORD = layout.DATA + 0x20
_END = f"""
  li a0, {layout.SEMIHOSTING:#x}
  li a1, 0x20026
  sd a1, 0(a0)
  sd x0, 8(a0)
  mv a1, a0
  li a0, 0x18
  .balign 16
  slli x0, x0, 0x1f
  ebreak
  srai x0, x0, 7
"""

EXOTICS = (
    Exotic(
        # Hart 0 of this machine has neither F, D nor S, so that QEMU numbers its registers in another way.
        "harts_of_two_kinds",
        guest(
            f"""
  li s0, {_WORD:#x}
  csrr t0, mhartid
  bnez t0, other
  li a0, 0x51
  csrw mscratch, a0
small: ebreak
wait: ld a1, 0(s0)
  beqz a1, wait
{_END}
other: li t0, 0x6000
  csrs mstatus, t0
  li a0, 0x54
  csrw mscratch, a0
  csrw sscratch, a0
float: fcvt.d.l fa0, a0
large: ebreak
  sd a0, 0(s0)
park: wfi
  j park
"""
        ),
        (
            Runs("small", 1, hart=0),
            Runs("large", 1, hart=1),
            Register("small", "mscratch", 0x51),
            Trapped("small", _BREAKPOINT, "small", "small", "handler"),
            Register("float", "fa0", 0x4055_0000_0000_0000),
            Register("large", "mscratch", 0x54),
            Register("large", "sscratch", 0x54),
            Trapped("large", _BREAKPOINT, "large", "large", "handler"),
        ),
        harts=2,
        cpu="sifive-u54",
        qemu_args=("-machine", "sifive_u", "-semihosting"),
    ),
)
