"""The frame that hand-written guests share: boot, a handler that skips, the end, page tables."""

from dataclasses import dataclass

from tests.recorder.generator import layout
from tests.recorder.generator.tables import WHOLE, AddressSpace, Entry, Scheme, Tables

END_CALL = 93
"""In a7 at an ecall: the guest has ended."""

SKIP = f"""
  csrr t6, mcause
  bltz t6, handler_interrupt
  li t6, {END_CALL}
  beq a7, t6, finish
  csrr t6, mepc
  addi t6, t6, 4
  csrw mepc, t6
  mret
handler_interrupt:
  csrw mie, x0
  mret
"""

_FRAME = """
  .option norelax
  .option norvc
  .macro enter privilege, target, load=la
  li t0, 3 << 11
  csrc mstatus, t0
  li t0, \\privilege << 11
  csrs mstatus, t0
  \\load t0, \\target
  csrw mepc, t0
  mret
  .endm
  .macro quit
  li a7, {end}
  ecall
  .endm
  .section .text.runtime, "ax"
  .globl _start
_start:
  la t0, handler
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  j main
  .balign 64
handler:
{handler}
finish:
  li t5, {finisher:#x}
  li t6, 0x5555
  sw t6, 0(t5)
finished:
  wfi
  j finished
  .balign 4
main:
{main}
"""


def guest(main: str, *, handler: str = SKIP, tables: str = "") -> str:
    """A whole source: ``main`` runs in M-mode at first; ``quit`` ends it, ``enter`` lowers the privilege."""
    return _FRAME.format(end=END_CALL, handler=handler, finisher=layout.FINISHER, main=main) + tables


@dataclass(frozen=True)
class Mapping:
    """A page that a guest maps besides RAM and devices, which S-mode sees where they are."""

    virtual: int
    physical: int
    bits: int


class Space:
    """Page tables of a hand-written guest, with the address of each mapping's entry."""

    def __init__(self, *mappings: Mapping, scheme: Scheme = Scheme.SV39) -> None:
        tables = Tables()
        space = AddressSpace(scheme, 1, tables.allocate())
        tables.map(space, 0, 0, WHOLE, level=2)
        tables.map(space, layout.RAM, layout.RAM, WHOLE, level=1)
        self.entries = [
            tables.map(space, mapping.virtual, mapping.physical, mapping.bits) for mapping in mappings
        ]
        self.words = [tables.words[entry] for entry in self.entries]
        self.satp = space.satp
        self.assembly = tables.assembly()


READ_WRITE = int(Entry.VALID | Entry.READ | Entry.WRITE)
READ_EXECUTE = int(Entry.VALID | Entry.READ | Entry.EXECUTE)
USED = int(Entry.ACCESSED | Entry.DIRTY)
USER = int(Entry.USER)


def enable(satp: int) -> str:
    """Code that puts ``satp`` in place."""
    return f"  li t0, {satp:#x}\n  csrw satp, t0\n"
