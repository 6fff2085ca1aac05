"""What a detector found: one thing that went wrong, with the evidence for it (docs/findings.md)."""

from dataclasses import dataclass
from enum import Enum

from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress


class Severity(Enum):
    """How bad a finding is; only what is above ``INFO`` makes an analysis say that there are findings."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the worst."""
        return list(Severity).index(self)


class Certainty(Enum):
    """How sure a detector is."""

    CERTAIN = "certain"
    """The evidence allows no other explanation."""
    LIKELY = "likely"
    """Another explanation would need something unusual, which the finding names."""
    POSSIBLE = "possible"
    """What was seen also happens in healthy kernels."""


@dataclass(frozen=True)
class Code:
    """An instruction: where it is, by name where symbols tell; ``line`` is 0 without a ``file``."""

    pc: VirtualAddress
    symbol: str | None = None
    file: str | None = None
    line: int = 0

    @property
    def text(self) -> str:
        """``memcpy+0x12 (memcpy.S:9)``, or the address alone; of the file its name without folders."""
        return self._text(None if self.file is None else self.file.rpartition("/")[2])

    @property
    def full_text(self) -> str:
        """The same with the file as the symbols name it."""
        return self._text(self.file)

    def _text(self, file: str | None) -> str:
        name = self.symbol or f"{self.pc:#x}"
        return name if file is None else f"{name} ({file}:{self.line})"


@dataclass(frozen=True)
class Evidence:
    """Something that happened, in one sentence; ``role`` tells what it is to the story.

    Addresses and values are those of the access, None where it is none. ``size`` is in bytes.
    """

    t: Time
    role: str
    text: str
    hart: Hart | None = None
    code: Code | None = None
    physical: PhysicalAddress | None = None
    virtual: VirtualAddress | None = None
    size: int | None = None
    before: bytes | None = None
    after: bytes | None = None


@dataclass(frozen=True)
class VirtualPlace:
    """Where a physical address appears in an address space; ``root`` 0 where none is translated."""

    address: VirtualAddress
    root: int


@dataclass(frozen=True)
class Owner:
    """Whose memory was hit: ``kind`` is a value of kernel.owners.OwnerKind, ``text`` says it for people."""

    kind: str
    text: str


@dataclass(frozen=True)
class StackUse:
    """The stack at fault, by virtual addresses; None is what is not known."""

    name: str
    top: VirtualAddress
    lowest_sp: VirtualAddress
    base: VirtualAddress | None = None
    base_source: str | None = None
    task: str | None = None

    @property
    def text(self) -> str:
        """The stack and whose it is."""
        return self.name if self.task is None else f"{self.name} of {self.task}"


@dataclass(frozen=True)
class Writer:
    """The instruction that did the damage, and under which calls (innermost first)."""

    t: Time
    hart: Hart
    code: Code
    sp: VirtualAddress | None
    backtrace: tuple[Code, ...]


@dataclass(frozen=True)
class Victim:
    """The bytes that were ruined; None where they are not known. ``name`` says what they were."""

    physical: PhysicalAddress
    size: int
    before: bytes | None
    after: bytes | None
    name: str | None = None


@dataclass(frozen=True)
class Finding:
    """One thing that went wrong.

    ``title`` is one sentence; ``t`` is where it began. ``chain`` leads from cause to symptom, in order of t,
    and ``why`` says what makes it as sure as ``certainty``. ``consumers`` used what was ruined. ``paragraph``
    tells the story to a person, ``picture`` draws the memory around it.
    """

    detector: str
    severity: Severity
    title: str
    t: Time
    certainty: Certainty
    why: str
    physical_address: PhysicalAddress | None = None
    virtual_addresses: tuple[VirtualPlace, ...] = ()
    owner: Owner | None = None
    stack: StackUse | None = None
    writer: Writer | None = None
    victim: Victim | None = None
    consumers: tuple[Evidence, ...] = ()
    chain: tuple[Evidence, ...] = ()
    paragraph: str = ""
    picture: str = ""
    related: tuple["Finding", ...] = ()
