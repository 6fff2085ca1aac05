"""What the panels show, as frozen values that a worker hands to the screen."""

from dataclasses import dataclass
from enum import Enum

from tracedbg.ids import Hart, PhysicalAddress, Time
from tracedbg.session.place import Selection
from tracedbg.session.timeline import Timeline


@dataclass(frozen=True, slots=True)
class Header:
    """The trace and the moment, in texts."""

    file: str
    machine: str
    ending: str
    position: str
    analysis: str


@dataclass(frozen=True, slots=True)
class RegisterRow:
    """A register; ``value`` None where it is unknown, ``changed`` since the moment before the last move."""

    name: str
    value: int | None
    changed: bool


@dataclass(frozen=True, slots=True)
class RegisterPanel:
    """The registers of the hart that runs at t."""

    hart: Hart
    privilege: str
    pc: int | None
    rows: tuple[RegisterRow, ...]
    wide: tuple[RegisterRow, ...] = ()
    """Those that have more than 64 bits and changed."""


class CodeKind(Enum):
    """What a row of the code panel is."""

    SYMBOL = "symbol"
    SOURCE = "source"
    INSTRUCTION = "instruction"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A row of code. ``note`` are operands' values for the current instruction, and a target's name.

    ``executed`` tells of an instruction that it ran at some t of the trace.
    """

    kind: CodeKind
    address: int | None
    place: str
    text: str
    note: str = ""
    is_current: bool = False
    executed: bool = True


@dataclass(frozen=True, slots=True)
class CodePanel:
    """Code around pc; ``title`` names the function and the place in its source."""

    title: str
    rows: tuple[CodeRow, ...]


@dataclass(frozen=True, slots=True)
class ByteCell:
    """A byte of memory, None where the trace does not know it; ``written`` by the last move."""

    value: int | None
    written: bool
    selected: bool


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """Bytes from ``address``, in the address space of the panel."""

    address: int
    cells: tuple[ByteCell, ...]


@dataclass(frozen=True, slots=True)
class MemoryPanel:
    """Memory around the selection and what is known of the selected bytes."""

    selection: Selection
    physical: PhysicalAddress | None
    rows: tuple[MemoryRow, ...]
    writer: str
    reader: str


@dataclass(frozen=True, slots=True)
class FrameRow:
    """A frame of physical memory from ``address`` on, and what it is used for.

    ``live`` are first and last (exclusive) bytes that are live parts of stacks, None where no stack in use
    has stored to the frame.
    """

    address: PhysicalAddress
    owner: str
    live: tuple[tuple[int, int], ...] | None


@dataclass(frozen=True, slots=True)
class FrameMap:
    """Frames, the highest address first, None for those left out; ``note`` says why there are none."""

    rows: tuple[FrameRow | None, ...]
    stack_pointer: PhysicalAddress | None
    selected: PhysicalAddress | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class CallRow:
    """A frame of the call stack, innermost first; ``how`` says how it was found where that is uncertain."""

    number: int
    function: str
    place: str
    frame: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class CallPanel:
    """The call stack; ``note`` says why it ends where it does, or why there is none."""

    rows: tuple[CallRow, ...]
    note: str = ""


@dataclass(frozen=True, slots=True)
class ConsolePanel:
    """The last lines that the guest wrote up to t, oldest first; the last one as far as it was written."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Screen:
    """Everything on one screen; all of it belongs to the same t."""

    t: Time
    header: Header
    timeline: Timeline
    registers: RegisterPanel
    code: CodePanel
    memory: MemoryPanel
    frames: FrameMap
    calls: CallPanel
    console: ConsolePanel
