"""What came out of a walk back: steps, what each was made of, and where and why the walk ended."""

from dataclasses import dataclass
from enum import Enum

from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.provenance.place import Place
from tracedbg.state import Frame
from tracedbg.symbols import SourceLine, SymbolAt


class Role(Enum):
    """What an input is to the step that it goes into."""

    VALUE = "value"
    ADDRESS = "address"
    """It tells where memory was touched and not what was there."""
    CONDITION = "condition"
    """It decided that a branch was taken."""
    TRANSLATION = "page table"
    """The page-table entry at which the translation of a fault's address ended."""


class End(Enum):
    """Why nothing lies behind a step."""

    CONSTANT = "constant in the code"
    RETURN_ADDRESS = "address behind a call"
    IMAGE = "memory as it was when the recording began"
    START = "register as it was when the recording began"
    READ_ONLY = "boot ROM or flash"
    DEVICE = "read from a device"
    CHANGE = "changed by no instruction"
    TRAP = "put there by a trap"
    RESET = "put there by a reset"
    NOT_RECORDED = "made of something that is not recorded"
    UNKNOWN = "not known"


class Cut(Enum):
    """Why the walk did not go on although it could; asking for the input's place goes on there."""

    STEPS = "limit of steps"
    SECONDS = "limit of time"
    TURNS = "a loop goes on turning"
    STACK_POINTER = "an address on the stack"
    ADDRESS = "tells only where"
    CONDITION = "tells only that the branch was taken"


@dataclass(frozen=True)
class Input:
    """Something that a step was made of: what ``place`` held, ``value`` being None where that is not known.

    ``made_by`` are the numbers of the steps that made it: several where they wrote different bytes of it,
    too few where the walk was ``cut``.
    """

    role: Role
    place: Place
    value: int | None
    made_by: tuple[int, ...]
    cut: Cut | None


@dataclass(frozen=True)
class Step:
    """One value that was made: ``place`` held ``value`` (None where not known) after the event at ``t``.

    ``kind`` is the kind of instruction (arch.Operation), or ``restored`` for a register that was only saved
    on the stack and restored since its input's moment, perhaps many times. For what no instruction made,
    which has no ``pc``, it is ``trap``, ``change``, ``start``, ``device``, ``read only``, ``reset`` or
    ``unknown``. ``text`` is the instruction, or a phrase that says what happened. ``end`` is set where
    nothing lies behind.
    """

    number: int
    kind: str
    t: Time
    hart: Hart | None
    pc: VirtualAddress | None
    symbol: SymbolAt | None
    line: SourceLine | None
    text: str
    place: Place
    value: int | None
    inputs: tuple[Input, ...]
    end: End | None


@dataclass(frozen=True)
class Explanation:
    """Why ``target`` held what it held at ``t``: a graph of steps, each made of the ones behind its inputs.

    ``roots`` are the places that were asked for (none where the first step is a fault). ``spine`` are the
    numbers of the steps along the one path that carries the value, the newest first: of several operands it
    follows the one that equals the result, else the largest number, a pointer rather than an index; of
    several stores the newest. ``stack`` is the call stack, innermost frame first, of the step with the
    number ``stack_of``: the first store on the spine, else one into the page table that a fault came from,
    else the first step that an instruction made.
    """

    target: str
    t: Time
    hart: Hart | None
    roots: tuple[Input, ...]
    steps: tuple[Step, ...]
    spine: tuple[int, ...]
    stack_of: int | None
    stack: tuple[Frame, ...]

    @property
    def ends(self) -> tuple[Step, ...]:
        """The steps behind which nothing lies."""
        return tuple(step for step in self.steps if step.end is not None)

    @property
    def cuts(self) -> tuple[Input, ...]:
        """The inputs at which the walk stopped though it could go on, in order of the steps."""
        inputs = (*self.roots, *(each for step in self.steps for each in step.inputs))
        return tuple(each for each in inputs if each.cut is not None)
