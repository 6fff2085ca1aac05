"""riscv64 as the rest of tracedbg sees it."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from tracedbg.arch.base import (
    Architecture,
    DebuggerLayout,
    FrameLink,
    TrapKind,
    TrapRegisters,
    Use,
    UserCalls,
    Values,
)
from tracedbg.arch.dataflow import Dataflow
from tracedbg.arch.effect import Effect
from tracedbg.arch.riscv64 import causes, paging, succession
from tracedbg.arch.riscv64.csrs import csr_writers
from tracedbg.arch.riscv64.dataflow import dataflow
from tracedbg.arch.riscv64.debugger import layout
from tracedbg.arch.riscv64.effect import effect
from tracedbg.arch.riscv64.linux_calls import LINUX_CALLS
from tracedbg.arch.riscv64.registers import FLOAT, INTEGER, NAMES, VECTOR
from tracedbg.arch.riscv64.stack_code import stack_code
from tracedbg.arch.riscv64.views import ALIASES, VIEWS
from tracedbg.arch.stack_code import StackCode, Words
from tracedbg.arch.translation import AddressSpace, MappedPage, ReadPage, ReadWord, Walk
from tracedbg.ids import PhysicalAddress, VirtualAddress

_MACHINE = 3
_MPRV = 1 << 17
_VECTORED = 1
_MPP_SHIFT = 11
_SPP_SHIFT = 8
_WFI = np.uint32(0x1050_0073)


class Riscv64(Architecture):
    """RISC-V, 64 bits; frames as in the psABI's frame pointer convention."""

    name = "riscv64"
    word_size = 8
    page_size = paging.PAGE_SIZE
    registers = NAMES
    integer_registers = INTEGER
    float_registers = FLOAT
    vector_registers = VECTOR
    stack_pointer = "sp"
    return_address = "ra"
    frame_pointer = "s0"
    frame_link = FrameLink(return_address=-8, frame_pointer=-16)
    stack_alignment = 16
    callee_saved = frozenset(f"{kind}{number}" for kind in ("s", "fs") for number in range(12))
    argument_registers = tuple(f"a{number}" for number in range(8))
    unchanged = frozenset(("zero", "gp", "tp"))
    address_space_register = "satp"
    interrupt_enables = "mie"
    scratch_register = "sscratch"
    user_calls = UserCalls(
        cause=causes.CALL_FROM_USER,
        length=4,
        number="a7",
        arguments=tuple(f"a{number}" for number in range(6)),
        result="a0",
    )
    linux_calls = LINUX_CALLS
    wait_instruction = 0x10500073
    user_flag = "U"
    aliases = ALIASES
    views = VIEWS

    def debugger_layout(self, vector_bits: int = 0) -> DebuggerLayout:
        """Return QEMU's layout, with the control registers that a trace can hold."""
        return layout(vector_bits)

    def dwarf_register(self, number: int) -> str | None:
        """Integer registers are 0 to 31 and floating-point ones 32 to 63 (psABI, DWARF register numbers)."""
        return NAMES[number] if 0 <= number < len(INTEGER) + len(FLOAT) else None

    def privilege_name(self, privilege: int) -> str:
        """Return ``user``, ``supervisor`` or ``machine``."""
        return causes.privilege_name(privilege)

    def cause_name(self, cause: int) -> str:
        """Return the meaning of a value of mcause or scause."""
        return causes.cause_name(cause)

    def is_interrupt(self, cause: int) -> bool:
        """Say whether the highest bit is set."""
        return bool(cause & causes.INTERRUPT)

    def trap_kind(self, cause: int) -> TrapKind:
        """Tell interrupts, calls, and the three kinds of exception apart."""
        return causes.trap_kind(cause)

    def trap_registers(self, privilege: int) -> TrapRegisters:
        """Return those of machine mode, or of supervisor mode."""
        letter = "m" if privilege == _MACHINE else "s"
        return TrapRegisters(f"{letter}cause", f"{letter}epc", f"{letter}tval", "mstatus")

    def interrupted_privilege(self, values: Values, privilege: int) -> int | None:
        """Read MPP or SPP (3.1.6.1)."""
        status = values("mstatus")
        if status is None:
            return None
        return status >> _MPP_SHIFT & 3 if privilege == _MACHINE else status >> _SPP_SHIFT & 1

    def trap_vector_register(self, privilege: int) -> str:
        """Return mtvec, or stvec."""
        return "mtvec" if privilege == _MACHINE else "stvec"

    def dataflow(self, data: bytes) -> Dataflow:
        """Decode RV64GC and what dataflow.py lists beside it."""
        return dataflow(data)

    def writes_control(self, encodings: NDArray[np.uint32], register: str) -> NDArray[np.bool_]:
        """Look for the instructions of Zicsr."""
        return csr_writers(encodings, register)

    def waits(self, encodings: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Look for WFI (3.3.3)."""
        found: NDArray[np.bool_] = encodings == _WFI
        return found

    def trap_vectors(self, values: Values, cause: int = 0) -> tuple[VirtualAddress, ...]:
        """Read mtvec and stvec; in vectored mode each interrupt has an entry of its own (3.1.7)."""
        vectors = [value for name in ("mtvec", "stvec") if (value := values(name)) is not None]
        entry = 4 * (cause & ~causes.INTERRUPT) if self.is_interrupt(cause) else 0
        return tuple(
            VirtualAddress((value & ~3) + (entry if value & 3 == _VECTORED else 0)) for value in vectors
        )

    def address_space(self, values: Values, privilege: int, use: Use) -> AddressSpace | None:
        """Machine mode does not translate, unless MPRV lends it the privilege of MPP for data (3.1.6.3)."""
        if privilege == _MACHINE and use is Use.DATA:
            status = values("mstatus")
            if status is None:
                return None
            privilege = status >> _MPP_SHIFT & 3 if status & _MPRV else _MACHINE
        if privilege == _MACHINE:
            return paging.address_space(0)
        satp = values("satp")
        return None if satp is None else paging.address_space(satp)

    def effect(self, code: bytes) -> Effect:
        """Decode RV64GC."""
        return effect(code)

    def following(self, code: bytes, pc: int, words: Sequence[int | None]) -> VirtualAddress | None:
        """Work out jumps and branches."""
        return succession.following(code, pc, words)

    def surely_retires(self, code: bytes, privilege: int, values: Values) -> bool:
        """Say so of integer instructions, and of WFI where it is allowed (3.3.3)."""
        return succession.surely_retires(code, privilege, values)

    def stack_code(self, words: Words) -> StackCode:
        """Decode RV64GC."""
        return stack_code(words)

    def address_space_of(self, root: int) -> AddressSpace:
        """Return the address space of a value of satp."""
        return paging.address_space(root)

    def walk(self, space: AddressSpace, virtual: VirtualAddress, read: ReadWord) -> Walk:
        """Walk Sv39, Sv48 or Sv57 tables."""
        return paging.walk(space, virtual, read)

    def iter_tables(self, space: AddressSpace, read: ReadPage) -> Iterator[PhysicalAddress]:
        """Go through the tables of the space, up to paging.TABLE_LIMIT of them."""
        return paging.iter_tables(space, read)

    def entry_frames(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Read values as valid entries without reserved bits."""
        return paging.entry_frames(values)

    def frame_named(self, entry: int) -> int:
        """Read the PPN, which software may keep in an entry that is not valid (privileged ISA 12.3.1)."""
        return paging.frame_named(entry)

    def iter_mappings(
        self, space: AddressSpace, read: ReadPage, within: tuple[PhysicalAddress, int]
    ) -> Iterator[MappedPage]:
        """Look through the tables of the space, up to paging.TABLE_LIMIT of them."""
        return paging.iter_mappings(space, read, within)
