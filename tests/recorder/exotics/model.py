"""An exotic guest and what must hold in its trace, by labels of its source.

A Place is a number, or text such as ``"label"``, ``"label+8"`` or ``"label+0x1f80000000"`` (a label seen
through another virtual address). ``nth`` picks one execution of the instruction at a place; -1 is the last.
"""

from dataclasses import dataclass, field

from tests.recorder.generator import Program
from tracedbg.format.schema import Cause
from tracedbg.query import Kind

Place = int | str


@dataclass(frozen=True)
class Touch:
    """One access: ``virtual`` is the physical address when left out, ``value`` None when it may be any."""

    kind: Kind
    physical: Place
    size: int
    value: int | None
    virtual: Place | None = None
    second: Place | None = None


@dataclass(frozen=True)
class Accesses:
    """The instruction at ``at`` makes exactly these accesses of ``kind``, in this order."""

    at: Place
    touches: tuple[Touch, ...]
    kind: Kind = Kind.LOAD | Kind.STORE
    nth: int = 0


@dataclass(frozen=True)
class Register:
    """After the instruction at ``at`` its hart's register holds ``value``, or has these bits of ``mask``."""

    at: Place
    name: str
    value: Place
    mask: int = (1 << 64) - 1
    nth: int = 0


@dataclass(frozen=True)
class Trapped:
    """A trap follows the instruction at ``at``, which is the hart's last to start before the handler."""

    at: Place
    cause: int
    epc: Place
    tval: Place
    handler: Place
    source: int = 3
    target: int = 3
    nth: int = 0


@dataclass(frozen=True)
class Walk:
    """A walk changes the entry after ``at`` started, and before ``until`` (else ``at``) ended."""

    at: Place
    entry: Place
    before: int
    after: int
    until: Place | None = None
    nth: int = 0


@dataclass(frozen=True)
class Content:
    """When the instruction at ``at`` starts, ``size`` bytes of memory hold ``value``, little-endian."""

    at: Place
    physical: Place
    size: int
    value: int
    nth: int = 0


@dataclass(frozen=True)
class Runs:
    """The instruction at ``at`` starts this many times, on ``hart`` or any."""

    at: Place
    times: int
    hart: int | None = None


@dataclass(frozen=True)
class Ordered:
    """The nth execution of ``first`` comes before that of ``then``."""

    first: Place
    then: Place
    first_nth: int = 0
    then_nth: int = 0


@dataclass(frozen=True)
class Changed:
    """Between the start of ``at`` and that of ``until`` memory in the range changes by ``cause``."""

    at: Place
    until: Place
    physical: Place
    size: int
    cause: Cause


@dataclass(frozen=True)
class WasReset:
    """The nth execution of ``at`` is the first instruction after a reset."""

    at: Place
    nth: int


@dataclass(frozen=True)
class LastInstruction:
    """Nothing runs after the instruction at ``at``, though QEMU goes on."""

    at: Place


Expectation = (
    Accesses | Register | Trapped | Walk | Content | Runs | Ordered | Changed | WasReset | LastInstruction
)


@dataclass(frozen=True)
class Exotic:
    """A hand-written guest; ``march`` is for the assembler, ``cpu`` and ``qemu_args`` are for QEMU."""

    name: str
    source: str
    expectations: tuple[Expectation, ...]
    harts: int = 1
    march: str = "rv64imafdc_zicsr_zifencei_zba_zbb_zbs_zicboz"
    cpu: str = "rv64"
    qemu_args: tuple[str, ...] = ()
    wrapper: tuple[str, ...] = ()
    exit_code: int = 0
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def program(self) -> Program:
        return Program(
            name=self.name,
            source=self.source,
            march=self.march,
            harts=self.harts,
            cpu=self.cpu,
            qemu_args=self.qemu_args,
            files=self.files,
            exit_code=self.exit_code,
            wrapper=self.wrapper,
        )
