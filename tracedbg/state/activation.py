"""A function's registers while it waits for the one that it called: what unwinding goes through."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from tracedbg.arch import AddressSpace, Architecture
from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.state.frame import FoundBy
from tracedbg.state.recording import Recording
from tracedbg.state.traps import Trap
from tracedbg.symbols import SymbolAt, UnwindRow

Locate = Callable[[AddressSpace, VirtualAddress], PhysicalAddress | None]
"""Returns the physical address of a virtual one, None where it has none."""

ReadWord = Callable[[PhysicalAddress], int | None]
"""Returns the word at a physical address, None where it is not known."""


@dataclass(frozen=True)
class Activation:
    """``registers`` by name; of a caller only those that calls preserve are known.

    ``entered`` is the moment at which its registers were live: that of the backtrace, or of the trap that
    interrupted it; None for a caller, whose ``pc`` is a return address.
    """

    pc: int
    registers: Mapping[str, int | None]
    privilege: int
    space: AddressSpace | None
    hart: Hart
    found_by: FoundBy
    live: Time | None
    trap: Trap | None = None
    link: int | None = None
    """The stack address that held ``pc``, of a caller whose callee had put it there."""

    @property
    def lookup(self) -> VirtualAddress:
        """An address within the instruction that the frame stands at: a call may be a function's last."""
        return VirtualAddress(self.pc if self.live is not None else self.pc - 1)

    def caller(
        self, pc: int, registers: Mapping[str, int | None], found_by: FoundBy, link: int | None
    ) -> "Activation":
        """Return the caller's activation."""
        return replace(self, pc=pc, registers=registers, found_by=found_by, live=None, trap=None, link=link)


@dataclass(frozen=True)
class Unwinder:
    """What every way of finding a caller needs, for the moment ``t``."""

    recording: Recording
    t: Time
    translate: Locate
    read: ReadWord

    @property
    def arch(self) -> Architecture:
        """The instruction set."""
        return self.recording.arch

    def symbol(self, activation: Activation) -> SymbolAt | None:
        """Return the symbol of an activation's function."""
        return self.recording.symbols.at(activation.lookup)

    def row(self, activation: Activation) -> UnwindRow | None:
        """Return the unwind rules that hold in an activation."""
        return self.recording.symbols.unwind_row(activation.lookup)

    def stack_pointer(self, activation: Activation) -> int | None:
        """Return the stack pointer in an activation."""
        return activation.registers[self.arch.stack_pointer]

    def locate(self, activation: Activation, address: int) -> PhysicalAddress | None:
        """Return the physical address of a place on an activation's stack."""
        if activation.space is None:
            return None
        return self.translate(activation.space, VirtualAddress(address % (1 << 8 * self.arch.word_size)))

    def word(self, activation: Activation, address: int) -> int | None:
        """Return the word at an address of an activation's stack."""
        size = self.arch.word_size
        if address % size:
            return None
        physical = self.locate(activation, address)
        return None if physical is None else self.read(physical)
