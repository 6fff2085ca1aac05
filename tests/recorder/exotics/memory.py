"""Accesses over page borders, faults in one of the pages, and a whole block at once."""

from tests.recorder.exotics.model import Accesses, Content, Exotic, Register, Touch, Trapped
from tests.recorder.exotics.source import READ_WRITE, USED, Mapping, Space, enable, guest
from tests.recorder.generator import layout
from tracedbg.query import Kind

_LOW = 0x4000_0000
_FIRST = layout.DATA + 0x5000
_SECOND = layout.DATA + 0x2000
_VALUE = 0x1122_3344_5566_7788
_PAGES = Space(
    Mapping(_LOW, _FIRST, READ_WRITE | USED),
    Mapping(_LOW + 0x1000, _SECOND, READ_WRITE | USED),
)
_HALF = Space(Mapping(_LOW, _FIRST, READ_WRITE | USED))
_BORDER = Touch(Kind.STORE, _FIRST + 0xFFD, 8, _VALUE, _LOW + 0xFFD, _SECOND)

EXOTICS = (
    Exotic(
        "store_over_pages_apart",
        guest(
            f"""{enable(_PAGES.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_LOW + 0xFFD:#x}
  li a1, {_VALUE:#x}
  nop
store: sd a1, 0(a0)
load: ld a2, 0(a0)
half: lhu a3, 2(a0)
single: lbu a4, 3(a0)
end: quit
""",
            tables=_PAGES.assembly,
        ),
        (
            Accesses("store", (_BORDER,)),
            Accesses("load", (Touch(Kind.LOAD, _FIRST + 0xFFD, 8, _VALUE, _LOW + 0xFFD, _SECOND),)),
            Accesses("half", (Touch(Kind.LOAD, _FIRST + 0xFFF, 2, 0x5566, _LOW + 0xFFF, _SECOND),)),
            Accesses("single", (Touch(Kind.LOAD, _SECOND, 1, 0x55, _LOW + 0x1000),)),
            Register("load", "a2", _VALUE),
            Register("half", "a3", 0x5566),
            Content("store", _FIRST + 0xFFD, 3, 0),
            Content("load", _FIRST + 0xFFD, 3, 0x667788),
            Content("load", _SECOND, 5, 0x1122334455),
            Content("load", _FIRST + 0x1000, 8, 0),
        ),
    ),
    Exotic(
        "second_page_faults",
        guest(
            f"""{enable(_HALF.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_LOW + 0xFFD:#x}
  li a1, {_VALUE:#x}
  li a2, 5
store: sd a1, 0(a0)
load: ld a2, 0(a0)
end: quit
""",
            tables=_HALF.assembly,
        ),
        (
            Trapped("store", 15, "store", _LOW + 0x1000, "handler", source=1),
            Trapped("load", 13, "load", _LOW + 0x1000, "handler", source=1),
            Accesses("store", ()),
            Accesses("load", ()),
            Content("end", _FIRST + 0xFFD, 3, 0),
            Register("load", "a2", 5),
        ),
    ),
    Exotic(
        "load_page_fault_in_mid_block",
        guest(
            f"""{enable(_HALF.satp)}
  enter 1, in_kernel
in_kernel:
  li a0, {_LOW + 0x3008:#x}
  li a2, 7
before: addi a3, a2, 1
load: ld a2, 0(a0)
after: addi a4, a2, 1
end: quit
""",
            tables=_HALF.assembly,
        ),
        (
            Trapped("load", 13, "load", _LOW + 0x3008, "handler", source=1),
            Register("before", "a3", 8),
            Register("load", "a2", 7),
            Register("after", "a4", 8),
            Accesses("load", ()),
        ),
    ),
    Exotic(
        "cache_block_zeroed",
        guest(
            f"""
  li a0, {layout.DATA + 0x40:#x}
  li a1, -1
  li a2, 16
fill: sd a1, 0(a0)
  addi a0, a0, 8
  addi a2, a2, -1
  bnez a2, fill
  li a0, {layout.DATA + 0x7C:#x}
zero: cbo.zero (a0)
load: ld a3, 0(a0)
end: quit
"""
        ),
        (
            Content("zero", layout.DATA + 0x40, 64, (1 << 512) - 1),
            Content("load", layout.DATA + 0x40, 64, 0),
            Content("load", layout.DATA + 0x80, 8, (1 << 64) - 1),
            Register("load", "a3", 0xFFFF_FFFF_0000_0000),
        ),
    ),
    Exotic(
        "push_and_pop",
        guest(
            f"""
  li sp, {layout.DATA + 0x100:#x}
  li ra, 0x1111
  li s0, 0x2222
push: .half 0xb852
clear: li ra, 0
  li s0, 0
pop: .half 0xba52
  nop
  .balign 4
end: quit
"""
        ),
        (
            Content("clear", layout.DATA + 0xF0, 8, 0x1111),
            Content("clear", layout.DATA + 0xF8, 8, 0x2222),
            Register("push", "sp", layout.DATA + 0xF0),
            Register("pop", "sp", layout.DATA + 0x100),
            Register("pop", "ra", 0x1111),
            Register("pop", "s0", 0x2222),
        ),
        march="rv64imac_zicsr_zifencei",
        cpu="rv64i,m=on,a=on,zicsr=on,zifencei=on,s=on,u=on,zca=on,zcmp=on,zcb=on,pmp=on,sv57=on",
    ),
)
