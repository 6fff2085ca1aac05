"""A and D set by walks, accesses with another privilege, rights of S-mode, and code that changes."""

from tests.recorder.exotics.model import Accesses, Content, Exotic, Register, Runs, Touch, Trapped, Walk
from tests.recorder.exotics.source import READ_EXECUTE, READ_WRITE, USED, USER, Mapping, Space, enable, guest
from tests.recorder.generator import layout
from tracedbg.query import Kind

_DATA = 0x4000_0000
_CODE = 0x4000_1000
_USER_DATA = 0x4000_2000
_FRAME = layout.DATA + 0x3000
_USER_FRAME = layout.DATA + 0x7000
_ACCESSED = 0x40
_DIRTY = 0x80
_CLEAR = Space(
    Mapping(_DATA, _FRAME, READ_WRITE),
    Mapping(_CODE, layout.PATCH, READ_EXECUTE),
    Mapping(_USER_DATA, _USER_FRAME, READ_WRITE | USER | USED),
)
_DATA_ENTRY, _CODE_ENTRY, _ = _CLEAR.entries
_DATA_WORD, _CODE_WORD, _ = _CLEAR.words
_TWO_PAGES = Space(
    Mapping(_CODE, layout.PATCH + 0x1000, READ_EXECUTE | USED),
    Mapping(_CODE + 0x1000, layout.PATCH, READ_EXECUTE),
)
_ADDI_A5_5 = 0x0050_0793
_ADDI_A5_6 = 0x0060_0793
_RET = 0x0000_8067
_MPRV = 1 << 17
_SUM = 1 << 18

EXOTICS = (
    Exotic(
        "accessed_and_dirty",
        guest(
            f"""{enable(_CLEAR.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_DATA:#x}
  li a1, {_DATA_ENTRY:#x}
  nop
load: ld a2, 0(a0)
between: ld a3, 0(a1)
store: sd a1, 8(a0)
after: ld a4, 0(a1)
  li a1, {_CODE_ENTRY:#x}
  li a0, {_CODE:#x}
jump: jalr ra, 0(a0)
fetched: ld a5, 0(a1)
end: quit
""",
            tables=_CLEAR.assembly
            + f'\n.section .patch, "awx"\npatch: .word {_ADDI_A5_5:#x}, {_RET:#x}\n.zero 0x2000 - 8\n',
        ),
        (
            Walk("load", _DATA_ENTRY, _DATA_WORD, _DATA_WORD | _ACCESSED),
            Register("between", "a3", _DATA_WORD | _ACCESSED),
            Walk("store", _DATA_ENTRY, _DATA_WORD | _ACCESSED, _DATA_WORD | _ACCESSED | _DIRTY),
            Register("after", "a4", _DATA_WORD | _ACCESSED | _DIRTY),
            Walk("jump", _CODE_ENTRY, _CODE_WORD, _CODE_WORD | _ACCESSED, until=_CODE),
            Register("fetched", "a5", _CODE_WORD | _ACCESSED),
            Accesses("load", (Touch(Kind.LOAD, _FRAME, 8, 0, _DATA),)),
            Accesses("store", (Touch(Kind.STORE, _FRAME + 8, 8, _DATA_ENTRY, _DATA + 8),)),
        ),
    ),
    Exotic(
        "dirty_set_by_a_store_alone",
        guest(
            f"""{enable(_CLEAR.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_DATA:#x}
  li a1, 0x99
store: sb a1, 5(a0)
end: quit
""",
            tables=_CLEAR.assembly,
        ),
        (
            Walk("store", _DATA_ENTRY, _DATA_WORD, _DATA_WORD | _ACCESSED | _DIRTY),
            Content("end", _FRAME, 8, 0x99 << 40),
        ),
    ),
    Exotic(
        "other_privilege",
        guest(
            f"""{enable(_CLEAR.satp)}
  li a0, {_DATA:#x}
  li a1, {_USER_DATA:#x}
  li a2, 0xabcd
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, {_MPRV} | 1 << 11
  csrs mstatus, t0
store: sd a2, 16(a0)
load: ld a3, 16(a0)
denied: ld a4, 0(a1)
  li t0, {_MPRV}
  csrc mstatus, t0
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, {_MPRV}
  csrs mstatus, t0
user: sw a2, 4(a1)
  csrc mstatus, t0
plain: li a5, {_FRAME:#x}
physical: ld a6, 16(a5)
end: quit
""",
            tables=_CLEAR.assembly,
        ),
        (
            Accesses("store", (Touch(Kind.STORE, _FRAME + 16, 8, 0xABCD, _DATA + 16),)),
            Accesses("load", (Touch(Kind.LOAD, _FRAME + 16, 8, 0xABCD, _DATA + 16),)),
            Walk("store", _DATA_ENTRY, _DATA_WORD, _DATA_WORD | _ACCESSED | _DIRTY),
            Trapped("denied", 13, "denied", _USER_DATA, "handler"),
            Accesses("user", (Touch(Kind.STORE, _USER_FRAME + 4, 4, 0xABCD, _USER_DATA + 4),)),
            Accesses("physical", (Touch(Kind.LOAD, _FRAME + 16, 8, 0xABCD),)),
            Register("load", "a3", 0xABCD),
            Register("physical", "a6", 0xABCD),
        ),
    ),
    Exotic(
        "supervisor_on_user_page",
        guest(
            f"""{enable(_CLEAR.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_USER_DATA:#x}
  li a1, 0x31
denied: sd a1, 0(a0)
  li t0, {_SUM}
allow: csrs sstatus, t0
store: sd a1, 0(a0)
load: ld a2, 0(a0)
  csrc sstatus, t0
again: ld a3, 0(a0)
end: quit
""",
            tables=_CLEAR.assembly,
        ),
        (
            Trapped("denied", 15, "denied", _USER_DATA, "handler", source=1),
            Trapped("again", 13, "again", _USER_DATA, "handler", source=1),
            Accesses("store", (Touch(Kind.STORE, _USER_FRAME, 8, 0x31, _USER_DATA),)),
            Register("load", "a2", 0x31),
            Content("store", _USER_FRAME, 8, 0),
        ),
    ),
    Exotic(
        "code_is_replaced",
        guest(
            f"""
  li a0, {layout.PATCH:#x}
  li a1, {_ADDI_A5_5:#x}
  sw a1, 0(a0)
  li a1, {_RET:#x}
  sw a1, 4(a0)
  fence.i
first: jalr ra, 0(a0)
  li a1, {_ADDI_A5_6:#x}
replace: sw a1, 0(a0)
  fence.i
second: jalr ra, 0(a0)
end: quit
"""
        ),
        (
            Runs(layout.PATCH, 2),
            Register(layout.PATCH, "a5", 5),
            Register(layout.PATCH, "a5", 6, nth=1),
            Content("replace", layout.PATCH, 4, _ADDI_A5_5),
            Content("second", layout.PATCH, 4, _ADDI_A5_6),
        ),
    ),
    Exotic(
        "code_through_two_addresses",
        guest(
            f"""
  li a0, {layout.PATCH:#x}
  li a1, {_ADDI_A5_5:#x}
  sw a1, 0(a0)
  li a1, {_RET:#x}
  sw a1, 4(a0)
  fence.i
{enable(_CLEAR.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {layout.PATCH:#x}
  li a2, {_CODE:#x}
first: jalr ra, 0(a0)
second: jalr ra, 0(a2)
end: quit
""",
            tables=_CLEAR.assembly,
        ),
        (
            Runs(layout.PATCH, 1),
            Runs(_CODE, 1),
            Register(_CODE, "a5", 5),
            Register("second", "ra", "end"),
        ),
    ),
    Exotic(
        "accessed_in_second_page_of_an_instruction",
        guest(
            f"""
  li a0, {layout.PATCH:#x}
  li a1, {_ADDI_A5_5 & 0xFFFF:#x}
  li a2, 0x1000 + 0xffe
  add a2, a0, a2
  sh a1, 0(a2)
  li a1, {_ADDI_A5_5 >> 16 | (_RET & 0xFFFF) << 16:#x}
  sw a1, 0(a0)
  li a1, {_RET >> 16:#x}
  sw a1, 4(a0)
  fence.i
{enable(_TWO_PAGES.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_CODE + 0xFFE:#x}
  li a1, {_TWO_PAGES.entries[1]:#x}
jump: jalr ra, 0(a0)
read: ld a2, 0(a1)
end: quit
""",
            tables=_TWO_PAGES.assembly,
        ),
        (
            Runs(_CODE + 0xFFE, 1),
            Register(_CODE + 0xFFE, "a5", 5),
            Walk(
                "jump",
                _TWO_PAGES.entries[1],
                _TWO_PAGES.words[1],
                _TWO_PAGES.words[1] | _ACCESSED,
                until=_CODE + 0xFFE,
            ),
            Register("read", "a2", _TWO_PAGES.words[1] | _ACCESSED),
        ),
    ),
)
