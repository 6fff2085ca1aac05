"""Exceptions with exact cause, epc and tval; floating point off and on; a vector that leads nowhere."""

from tests.recorder.exotics.model import Accesses, Exotic, LastInstruction, Ordered, Register, Runs, Trapped
from tests.recorder.exotics.source import (
    END_CALL,
    READ_EXECUTE,
    USED,
    USER,
    Mapping,
    Space,
    enable,
    guest,
)
from tests.recorder.generator import layout

_CODE = 0x4000_0000
_NOWHERE = 0x5000_0000
_PATCH = layout.PATCH
_ONE_PAGE = Space(Mapping(_CODE, _PATCH, READ_EXECUTE | USED))
_USER_PAGE = Space(Mapping(_CODE, _PATCH, READ_EXECUTE | USED | USER))
_RESUMING = """
  csrr t6, mcause
  addi t6, t6, -9
  beqz t6, finish
  la t6, resumed
  csrw mepc, t6
  mret
"""
_FLOATS_ON = 1 << 13
_FLOATS = 3 << 13
_INITIAL = 1 << 13
_DIRTY = (1 << 63) | (3 << 13)
_STATE = (1 << 63) | (3 << 13)

EXOTICS = (
    Exotic(
        "fetch_page_fault_after_jalr",
        guest(
            f"""{enable(_ONE_PAGE.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_NOWHERE:#x}
jump: jalr ra, 0(a0)
skipped: li a1, 1
resumed:
  li a2, 2
end: quit
""",
            handler=_RESUMING,
            tables=_ONE_PAGE.assembly,
        ),
        (
            Trapped("jump", 12, _NOWHERE, _NOWHERE, "handler", source=1),
            Register("jump", "ra", "skipped"),
            Runs("skipped", 0),
            Runs(_NOWHERE, 0),
            Ordered("jump", "handler"),
        ),
    ),
    Exotic(
        "instruction_over_pages_second_faults",
        guest(
            f"""
  li a0, {_PATCH + 0xFFA:#x}
  li a1, 0x00100593
  sw a1, 0(a0)
  li a1, 0x00700613
  sw a1, 4(a0)
  fence.i
{enable(_ONE_PAGE.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_CODE + 0xFFA:#x}
  jr a0
resumed:
end: quit
""",
            handler=_RESUMING,
            tables=_ONE_PAGE.assembly,
        ),
        (
            Runs(_CODE + 0xFFA, 1),
            Trapped(_CODE + 0xFFA, 12, _CODE + 0xFFE, _CODE + 0x1000, "handler", source=1),
            Register(_CODE + 0xFFA, "a1", 1),
            Runs(_CODE + 0xFFE, 0),
        ),
    ),
    Exotic(
        "user_call_delegated",
        guest(
            f"""
  li a0, {_PATCH:#x}
  li a1, 0x00000073
  sw a1, 0(a0)
  li a1, 0x0000006f
  sw a1, 4(a0)
  fence.i
  li t0, 1 << 8
  csrw medeleg, t0
  la t0, in_kernel
  csrw stvec, t0
{enable(_USER_PAGE.satp)}
  enter 0, {_CODE:#x}, li
  .balign 4
in_kernel: csrr a2, scause
  csrr a3, sepc
  csrr a4, sstatus
end: quit
""",
            tables=_USER_PAGE.assembly,
        ),
        (
            Trapped(_CODE, 8, _CODE, 0, "in_kernel", source=0, target=1),
            Runs(_CODE + 4, 0),
            Register("in_kernel", "a2", 8),
            Register("in_kernel", "scause", 8),
            Register("in_kernel", "sepc", _CODE),
            Runs("handler", 1),
        ),
    ),
    Exotic(
        "illegal_breakpoint_and_access_fault",
        guest(
            f"""
  li a0, {layout.ABSENT:#x}
illegal: .word 0xffffffff
stop: ebreak
load: ld a1, 8(a0)
store: sd a1, 16(a0)
call: ecall
end: quit
"""
        ),
        (
            Trapped("illegal", 2, "illegal", 0xFFFF_FFFF, "handler"),
            Trapped("stop", 3, "stop", "stop", "handler"),
            Trapped("load", 5, "load", layout.ABSENT + 8, "handler"),
            Trapped("store", 7, "store", layout.ABSENT + 16, "handler"),
            Trapped("call", 11, "call", 0, "handler"),
            Accesses("load", ()),
            Accesses("store", ()),
            Runs("handler", 6),
        ),
    ),
    Exotic(
        "floating_point_off_then_on",
        guest(
            f"""
  li a0, {_FLOATS}
  li a1, 0x4008000000000000
  csrc mstatus, a0
off: fmv.d.x fa0, a1
  li a2, {_FLOATS_ON}
on: csrs mstatus, a2
initial: csrr a3, mstatus
move: fmv.d.x fa0, a1
dirty: csrr a4, mstatus
divide: fdiv.d fa1, fa0, fa0
zero: fmv.d.x fa2, x0
invalid: fdiv.d fa3, fa2, fa2
flags: csrr a5, fflags
back: fcvt.w.d a6, fa1
end: quit
"""
        ),
        (
            Trapped("off", 2, "off", 0xF205_8553, "handler"),
            Register("initial", "a3", _INITIAL, mask=_STATE),
            Register("move", "fa0", 0x4008_0000_0000_0000),
            Register("move", "mstatus", _DIRTY, mask=_STATE),
            Register("dirty", "a4", _DIRTY, mask=_STATE),
            Register("divide", "fa1", 0x3FF0_0000_0000_0000),
            Register("invalid", "fa3", 0x7FF8_0000_0000_0000),
            Register("invalid", "fcsr", 0x10),
            Register("flags", "a5", 0x10),
            Register("back", "a6", 1),
        ),
    ),
    Exotic(
        "vector_leads_nowhere",
        guest(
            f"""
  li t0, {layout.ABSENT:#x}
  csrw mtvec, t0
  li a7, {END_CALL}
last: ecall
never: j never
"""
        ),
        (Runs("last", 1), Runs("never", 0), LastInstruction("last")),
        wrapper=("timeout", "4"),
        exit_code=124,
    ),
)
