"""What an instruction set has to tell so that everything above can do without knowing it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tracedbg.arch.dataflow import Dataflow
from tracedbg.arch.effect import Effect
from tracedbg.arch.stack_code import StackCode, Words
from tracedbg.arch.translation import AddressSpace, MappedPage, ReadPage, ReadWord, Walk
from tracedbg.ids import PhysicalAddress, VirtualAddress

Values = Callable[[str], int | None]
"""Returns a recorded register by its name, None where its value is not known."""


def word_name(register: str, word: int) -> str:
    """Return a trace's name of an 8-byte word, counted from the lowest, of a register that has several."""
    return f"{register}.{word}"


class View(NamedTuple):
    """A register that is a part of another one: ``(value & mask) >> shift``.

    Where ``gate`` names a register, bits that are 0 there read as 0.
    """

    register: str
    mask: int
    shift: int = 0
    gate: str | None = None

    def of(self, values: Values) -> int | None:
        """Return the part, None where the whole register or the gate is not known."""
        value = values(self.register)
        gate = -1 if self.gate is None else values(self.gate)
        return None if value is None or gate is None else (value & gate & self.mask) >> self.shift


class Use(Enum):
    """What memory is touched for, where that decides how an address is translated."""

    DATA = auto()
    FETCH = auto()


class TrapKind(Enum):
    """What a trap came from."""

    INTERRUPT = auto()
    CALL = auto()
    """An instruction that calls the handler on purpose."""
    BREAKPOINT = auto()
    """An instruction that traps on purpose, for a debugger or because the program gives up."""
    FETCH = auto()
    """No instruction could be had from where the hart was to go on."""
    DATA = auto()
    """An address that an instruction loads from or stores to."""
    INSTRUCTION = auto()
    """Anything else that an instruction may not do."""


class TrapRegisters(NamedTuple):
    """Where a hart that takes a trap puts its cause, where it is to go on, a value, and its status."""

    cause: str
    epc: str
    value: str
    status: str


class FrameLink(NamedTuple):
    """Where a function that keeps a frame pointer saves its caller's state, in bytes from that pointer."""

    return_address: int
    frame_pointer: int


class DebuggerRegister(NamedTuple):
    """A register as a debugger's target description lists it.

    ``source`` is the recorded register, alias or view that it shows, or PC or PRIVILEGE; ``number`` and
    ``bits`` are those of the remote protocol, ``type`` one of gdb's predefined types or of the feature's own.
    """

    name: str
    number: int
    source: str
    type: str = "int"
    bits: int = 64


class DebuggerFeature(NamedTuple):
    """Registers that belong together under a name that gdb knows; ``types`` is XML that defines types."""

    name: str
    registers: tuple[DebuggerRegister, ...]
    types: str = ""


class DebuggerLayout(NamedTuple):
    """What gdb has to know of the machine (gdb manual, G.2).

    ``general`` registers, counted from number 0, are read all at once; ``quick`` are the numbers of those
    that a debugger wants at every stop.
    """

    architecture: str
    features: tuple[DebuggerFeature, ...]
    general: int
    quick: tuple[int, ...]


PC = "pc"
"""Source of a DebuggerRegister: the address of the next instruction."""
PRIVILEGE = "privilege"
"""Source of a DebuggerRegister: the privilege that the hart runs at, as a number."""


class UserCalls(NamedTuple):
    """How user mode calls the kernel.

    A trap with ``cause`` is such a call, made by an instruction of ``length`` bytes; ``number`` is the
    register that says which one by custom, ``arguments`` and ``result`` those of its values.
    """

    cause: int
    length: int
    number: str
    arguments: tuple[str, ...]
    result: str


class Architecture(ABC):
    """An instruction set, for readers of a trace. Addresses and registers are integers without sign.

    ``word_size`` is the bytes of an integer register, ``address_space_register`` the one whose value tells
    """

    name: ClassVar[str]
    word_size: ClassVar[int]
    page_size: ClassVar[int]
    registers: ClassVar[tuple[str, ...]]
    integer_registers: ClassVar[tuple[str, ...]]
    float_registers: ClassVar[tuple[str, ...]]
    vector_registers: ClassVar[tuple[str, ...]]
    """Registers that a trace holds word by word (``word_name``), where the guest has them."""
    stack_pointer: ClassVar[str]
    return_address: ClassVar[str]
    frame_pointer: ClassVar[str]
    frame_link: ClassVar[FrameLink]
    stack_alignment: ClassVar[int]
    callee_saved: ClassVar[frozenset[str]]
    argument_registers: ClassVar[tuple[str, ...]]
    """Where functions get their first arguments; the result comes back in the first of them."""
    unchanged: ClassVar[frozenset[str]]
    """Registers that no function writes: zero, and pointers that belong to a program or thread."""
    address_space_register: ClassVar[str]
    interrupt_enables: ClassVar[str]
    """Where a hart says which interrupts may wake it; zero when none may."""
    scratch_register: ClassVar[str]
    """Where kernels keep something of their own while user mode runs."""
    user_calls: ClassVar[UserCalls]
    linux_calls: ClassVar[Mapping[int, str]]
    """Names of Linux's system calls by number."""
    wait_instruction: ClassVar[int]
    """The instruction that waits for an interrupt, in the low bits of a word."""
    user_flag: ClassVar[str]
    """The flag of a page-table entry that lets user mode use the page."""
    aliases: ClassVar[Mapping[str, str]]
    """Recorded names by other names."""
    views: ClassVar[Mapping[str, View]]

    @abstractmethod
    def debugger_layout(self, vector_bits: int = 0) -> DebuggerLayout:
        """Return the registers as QEMU's gdbstub numbers them; ``vector_bits`` is 0 without vectors."""

    @abstractmethod
    def dwarf_register(self, number: int) -> str | None:
        """Return the name of the register with a DWARF number, None for one that is not recorded."""

    @abstractmethod
    def privilege_name(self, privilege: int) -> str:
        """Return the name of a privilege."""

    @abstractmethod
    def cause_name(self, cause: int) -> str:
        """Return what a trap's cause means."""

    @abstractmethod
    def is_interrupt(self, cause: int) -> bool:
        """Say whether a trap came from outside the instruction stream."""

    @abstractmethod
    def trap_kind(self, cause: int) -> TrapKind:
        """Return what a trap with a cause came from."""

    @abstractmethod
    def interrupted_privilege(self, values: Values, privilege: int) -> int | None:
        """Return the privilege from which the last trap to ``privilege`` came, None where it is not known."""

    @abstractmethod
    def trap_registers(self, privilege: int) -> TrapRegisters:
        """Return the registers that a trap handled at a privilege writes."""

    @abstractmethod
    def trap_vector_register(self, privilege: int) -> str:
        """Return the register that says where traps handled at a privilege begin."""

    @abstractmethod
    def dataflow(self, data: bytes) -> Dataflow:
        """Return what the instruction made of these bytes makes out of what."""

    @abstractmethod
    def writes_control(self, encodings: NDArray[np.uint32], register: str) -> NDArray[np.bool_]:
        """Return which encodings are of instructions that write a control register by its name."""

    @abstractmethod
    def waits(self, encodings: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Return which encodings are of instructions that wait for an interrupt."""

    @abstractmethod
    def trap_vectors(self, values: Values, cause: int = 0) -> tuple[VirtualAddress, ...]:
        """Return where a hart with these registers begins to handle a trap of a cause, at any privilege."""

    @abstractmethod
    def address_space(self, values: Values, privilege: int, use: Use) -> AddressSpace | None:
        """Return the address space in force, None where a register that decides it is not known."""

    @abstractmethod
    def effect(self, code: bytes) -> Effect:
        """Return what the instruction that begins ``code`` does."""

    @abstractmethod
    def following(self, code: bytes, pc: int, words: Sequence[int | None]) -> VirtualAddress | None:
        """Return where an instruction at ``pc`` that retires leads to, None where that is not known.

        ``words`` are the integer registers before it, None for one that is not known.
        """

    @abstractmethod
    def surely_retires(self, code: bytes, privilege: int, values: Values) -> bool:
        """Say whether an instruction cannot trap at a privilege, with these registers before it."""

    @abstractmethod
    def stack_code(self, words: Words) -> StackCode:
        """Return what instructions do with the stack pointer, each given in the low bits of a word."""

    @abstractmethod
    def address_space_of(self, root: int) -> AddressSpace:
        """Return the address space of a value of ``address_space_register``."""

    @abstractmethod
    def walk(self, space: AddressSpace, virtual: VirtualAddress, read: ReadWord) -> Walk:
        """Walk the page tables for an address; permissions are shown and not judged."""

    @abstractmethod
    def iter_tables(self, space: AddressSpace, read: ReadPage) -> Iterator[PhysicalAddress]:
        """Yield the physical address of each table of a space, the root first."""

    @abstractmethod
    def entry_frames(self, values: NDArray[np.uint64]) -> NDArray[np.uint64]:
        """Return the frame that each value leads to, read as a page-table entry; all ones for none."""

    @abstractmethod
    def frame_named(self, entry: int) -> int:
        """Return the frame that a page-table entry names, valid or not; 0 where it names none."""

    @abstractmethod
    def iter_mappings(
        self, space: AddressSpace, read: ReadPage, within: tuple[PhysicalAddress, int]
    ) -> Iterator[MappedPage]:
        """Yield the pages of a translated space that map a byte of ``within`` (address, size), ascending."""
