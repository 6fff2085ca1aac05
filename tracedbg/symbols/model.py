"""What a symbol file can say, as frozen values; addresses are those of the guest, load bias included."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from tracedbg.ids import PhysicalAddress, VirtualAddress


@dataclass(frozen=True, slots=True)
class Symbol:
    """A named address. ``size`` in bytes, 0 where the file gives none; ``kind`` func, object or notype."""

    name: str
    demangled: str
    address: VirtualAddress
    size: int
    kind: str
    section: str | None
    file: str


@dataclass(frozen=True, slots=True)
class SymbolAt:
    """The symbol that covers an address; ``offset`` bytes into it. ``size`` as in the file, may be 0."""

    name: str
    demangled: str
    offset: int
    size: int
    section: str
    start: VirtualAddress


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A place in a source file; ``line`` counts from 1, ``column`` from 1 with 0 for "not given"."""

    file: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class InlinedCall:
    """A function whose body was inlined at an address, and where its caller calls it (None if not told)."""

    name: str
    demangled: str
    call_site: SourceLine | None


class Content(Enum):
    """What a section of a linked file is loaded as."""

    CODE = "code"
    READ_ONLY = "read-only data"
    DATA = "data"


class LoadSegment(NamedTuple):
    """A PT_LOAD segment: the bytes that the file has for it, without the zeros of .bss.

    ``memory_size`` are its bytes in memory, with them.
    """

    virtual_address: VirtualAddress
    physical_address: PhysicalAddress
    data: bytes
    memory_size: int


@dataclass(frozen=True, slots=True)
class CfaRule:
    """The canonical frame address is the value of ``register`` (a DWARF number) plus ``offset``."""

    register: int
    offset: int


@dataclass(frozen=True, slots=True)
class Undefined:
    """The caller's value is lost; for the return address: there is no caller."""


@dataclass(frozen=True, slots=True)
class SameValue:
    """The register still holds the caller's value."""


@dataclass(frozen=True, slots=True)
class AtCfa:
    """The caller's value is in memory at CFA + ``offset``."""

    offset: int


@dataclass(frozen=True, slots=True)
class ValueOfCfa:
    """The caller's value is CFA + ``offset`` itself."""

    offset: int


@dataclass(frozen=True, slots=True)
class InRegister:
    """The caller's value is in another ``register`` (a DWARF number)."""

    register: int


@dataclass(frozen=True, slots=True)
class Unsupported:
    """The file has a rule that tracedbg does not evaluate; ``what`` names it."""

    what: str


RegisterRule = Undefined | SameValue | AtCfa | ValueOfCfa | InRegister | Unsupported


@dataclass(frozen=True, slots=True)
class UnwindRow:
    """How to find the caller's registers while pc is in [start, end) (DWARF 5, 6.4.1).

    ``rules`` is keyed by DWARF register number; a register that it does not name holds the caller's
    value still. ``signal_frame`` tells that the return address is not that of a call (augmentation S).
    """

    start: VirtualAddress
    end: VirtualAddress
    cfa: CfaRule | Unsupported
    return_address_register: int
    rules: Mapping[int, RegisterRule]
    signal_frame: bool
    source: str

    @property
    def return_address(self) -> RegisterRule:
        """The rule for the return address column."""
        return self.rules.get(self.return_address_register, SameValue())
