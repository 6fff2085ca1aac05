"""What a gdb asks for, as typed requests read from packets (gdb manual, E.2 to E.4)."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum


class RequestError(ValueError):
    """A packet of a known kind does not say what it should; ``str()`` says what is wrong."""


class PointKind(Enum):
    """What stops a run: the number in a Z packet."""

    SOFTWARE = 0
    HARDWARE = 1
    WRITE = 2
    READ = 3
    ACCESS = 4

    @property
    def is_watch(self) -> bool:
        """Whether it watches memory."""
        return self.value >= PointKind.WRITE.value


@dataclass(frozen=True)
class Point:
    """A breakpoint at an address, or a watchpoint on ``size`` bytes from it on."""

    kind: PointKind
    address: int
    size: int


ANY_THREAD = 0
ALL_THREADS = -1


@dataclass(frozen=True)
class Supported:
    """qSupported: what gdb is able to do."""

    features: frozenset[str]


@dataclass(frozen=True)
class NoAck:
    """QStartNoAckMode."""


@dataclass(frozen=True)
class WhyStopped:
    """``?``."""


@dataclass(frozen=True)
class ReadGeneral:
    """``g``: the general registers."""


@dataclass(frozen=True)
class ReadRegister:
    """``p``: one register."""

    number: int


@dataclass(frozen=True)
class ReadMemory:
    """``m``, and ``x`` where the answer is to be in bytes as they are."""

    address: int
    size: int
    is_binary: bool = False


@dataclass(frozen=True)
class Write:
    """Anything that would change the guest; ``what`` is in words."""

    what: str


@dataclass(frozen=True)
class SelectThread:
    """``H``: the thread that later requests of kind ``operation`` (``g`` or ``c``) are about."""

    operation: str
    thread: int


@dataclass(frozen=True)
class IsAlive:
    """``T``."""

    thread: int


@dataclass(frozen=True)
class Resume:
    """Run until something happens, or by one instruction; ``thread`` is the one that steps.

    A step with ``within`` goes on for as long as the thread stands at first <= address < last.
    """

    is_step: bool
    is_reverse: bool = False
    thread: int = ALL_THREADS
    within: tuple[int, int] | None = None


@dataclass(frozen=True)
class VContActions:
    """``vCont?``."""


@dataclass(frozen=True)
class Insert:
    """``Z``."""

    point: Point


@dataclass(frozen=True)
class Remove:
    """``z``."""

    point: Point


@dataclass(frozen=True)
class Transfer:
    """qXfer: read a part of a document."""

    document: str
    annex: str
    offset: int
    size: int


@dataclass(frozen=True)
class CurrentThread:
    """``qC``."""


@dataclass(frozen=True)
class ListThreads:
    """qfThreadInfo and qsThreadInfo."""

    is_first: bool


@dataclass(frozen=True)
class DescribeThread:
    """qThreadExtraInfo."""

    thread: int


@dataclass(frozen=True)
class WasAttached:
    """qAttached."""


@dataclass(frozen=True)
class OfferSymbols:
    """qSymbol."""


@dataclass(frozen=True)
class Command:
    """qRcmd: a line after ``monitor``."""

    line: str


@dataclass(frozen=True)
class PhysicalMode:
    """Whether addresses are physical; ``enable`` is None to ask (QEMU's own packet)."""

    enable: bool | None


@dataclass(frozen=True)
class Leave:
    """``D`` and ``k``; ``is_kill`` gets no reply."""

    is_kill: bool


@dataclass(frozen=True)
class Unknown:
    """A packet that this server does not know, which the protocol allows."""


Request = (
    Supported | NoAck | WhyStopped | ReadGeneral | ReadRegister | ReadMemory | Write | SelectThread | IsAlive
    | Resume | VContActions | Insert | Remove | Transfer | CurrentThread | ListThreads | DescribeThread
    | WasAttached | OfferSymbols | Command | PhysicalMode | Leave | Unknown
)  # fmt: skip


def parse(content: bytes) -> Request:
    """Return the request in a packet's content; RequestError for a known kind with wrong fields."""
    text = content.decode("latin-1")
    for prefix, read in _KINDS:
        if text.startswith(prefix):
            return read(text[len(prefix) :])
    return Unknown()


def _number(text: str) -> int:
    if not re.fullmatch("[0-9a-fA-F]{1,16}", text):
        raise RequestError(f"{text[:20]!r} is no hexadecimal number of 64 bits")
    return int(text, 16)


def _thread(text: str) -> int:
    return ALL_THREADS if text == "-1" else _number(text)


def _numbers(text: str, count: int) -> list[int]:
    parts = text.split(",")
    if len(parts) != count:
        raise RequestError(f"{len(parts)} numbers instead of {count}")
    return [_number(part) for part in parts]


def _memory(is_binary: bool) -> Callable[[str], ReadMemory]:
    def read(text: str) -> ReadMemory:
        address, size = _numbers(text, 2)
        return ReadMemory(address, size, is_binary)

    return read


def _point(text: str) -> Point:
    # What comes after a semicolon are conditions and commands, which gdb evaluates itself.
    kind, address, size = _numbers(text.partition(";")[0], 3)
    if kind not in {each.value for each in PointKind}:
        raise RequestError(f"{kind} is no kind of breakpoint")
    return Point(PointKind(kind), address, size)


def _select(text: str) -> SelectThread:
    if text[:1] not in ("g", "c"):
        raise RequestError(f"{text[:1]!r} is no operation")
    return SelectThread(text[0], _thread(text[1:]))


def _resume(is_step: bool, takes_signal: bool) -> Callable[[str], Request]:
    def read(text: str) -> Request:
        # A signal has no meaning to a recording, and an address would make it run elsewhere.
        if takes_signal:
            text = text[2:].removeprefix(";")
        return Write("the program counter") if text else Resume(is_step)

    return read


def _vcont(text: str) -> Request:
    """Read the actions; the thread that is to step is what counts, the others go on with it."""
    thread = ALL_THREADS
    for action in text.split(";"):
        kind, _, name = action.partition(":")
        if not re.fullmatch("[cs]|[CS][0-9a-fA-F]{2}|r[0-9a-fA-F]+,[0-9a-fA-F]+", kind):
            raise RequestError(f"{action[:20]!r} is no action")
        thread = _thread(name) if name else ALL_THREADS
        if kind[0] == "r":
            first, last = _numbers(kind[1:], 2)
            return Resume(is_step=True, thread=thread, within=(first, last))
        if kind[0] in "sS":
            return Resume(is_step=True, thread=thread)
    return Resume(is_step=False, thread=thread)


def _transfer(text: str) -> Request:
    match = re.fullmatch("([^:]*):read:([^:]*):([0-9a-fA-F]{1,8}),([0-9a-fA-F]{1,8})", text)
    return Unknown() if match is None else Transfer(match[1], match[2], int(match[3], 16), int(match[4], 16))


def _command(text: str) -> Command:
    try:
        return Command(bytes.fromhex(text).decode("utf-8", "replace"))
    except ValueError:
        raise RequestError("a monitor command is not written in hexadecimal digits") from None


def _mode(text: str) -> PhysicalMode:
    return PhysicalMode(bool(_number(text)))


_KINDS: tuple[tuple[str, Callable[[str], Request]], ...] = (
    ("qSupported", lambda text: Supported(frozenset(text.removeprefix(":").split(";")))),
    ("QStartNoAckMode", lambda _: NoAck()),
    ("?", lambda _: WhyStopped()),
    ("g", lambda text: Unknown() if text else ReadGeneral()),
    ("p", lambda text: ReadRegister(_number(text))),
    ("m", _memory(is_binary=False)),
    ("x", _memory(is_binary=True)),
    ("G", lambda _: Write("registers")),
    ("P", lambda _: Write("a register")),
    ("M", lambda _: Write("memory")),
    ("X", lambda _: Write("memory")),
    ("H", _select),
    ("T", lambda text: IsAlive(_thread(text))),
    ("vCont?", lambda _: VContActions()),
    ("vCont;", _vcont),
    ("vKill", lambda _: Leave(is_kill=False)),
    ("s", _resume(is_step=True, takes_signal=False)),
    ("c", _resume(is_step=False, takes_signal=False)),
    ("S", _resume(is_step=True, takes_signal=True)),
    ("C", _resume(is_step=False, takes_signal=True)),
    ("bs", lambda _: Resume(is_step=True, is_reverse=True)),
    ("bc", lambda _: Resume(is_step=False, is_reverse=True)),
    ("Z", lambda text: Insert(_point(text))),
    ("z", lambda text: Remove(_point(text))),
    ("qXfer:", _transfer),
    ("qC", lambda text: Unknown() if text else CurrentThread()),
    ("qfThreadInfo", lambda _: ListThreads(is_first=True)),
    ("qsThreadInfo", lambda _: ListThreads(is_first=False)),
    ("qThreadExtraInfo,", lambda text: DescribeThread(_thread(text))),
    ("qAttached", lambda _: WasAttached()),
    ("qSymbol", lambda _: OfferSymbols()),
    ("qRcmd,", _command),
    ("Qqemu.PhyMemMode:", _mode),
    ("qqemu.PhyMemMode", lambda _: PhysicalMode(None)),
    ("D", lambda _: Leave(is_kill=False)),
    ("k", lambda _: Leave(is_kill=True)),
)
"""Beginnings of packets and how the rest is read; the first that fits counts."""
