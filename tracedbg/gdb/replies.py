"""What a server answers, as typed replies that know their packets (gdb manual, E.3 and E.7)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tracedbg.gdb.requests import PointKind

EFAULT = 14
TRAP, INTERRUPT = 5, 2
_CONSOLE_PART = 2048

_REASONS = {
    PointKind.SOFTWARE: "swbreak",
    PointKind.HARDWARE: "hwbreak",
    PointKind.WRITE: "watch",
    PointKind.READ: "rwatch",
    PointKind.ACCESS: "awatch",
}


@dataclass(frozen=True)
class Ok:
    """It was done."""

    def packets(self) -> Iterator[bytes]:
        """Yield the contents of the packets that say so."""
        yield b"OK"


@dataclass(frozen=True)
class NotSupported:
    """The request is not known."""

    def packets(self) -> Iterator[bytes]:
        """Yield the contents of the packets that say so."""
        yield b""


@dataclass(frozen=True)
class Failure:
    """It could not be done: an error number, or a sentence where gdb shows one."""

    number: int = 1
    sentence: str = ""

    def packets(self) -> Iterator[bytes]:
        """Yield the contents of the packets that say so."""
        yield f"E.{self.sentence}".encode() if self.sentence else b"E%02x" % self.number


@dataclass(frozen=True)
class Text:
    """A text as it stands."""

    text: str

    def packets(self) -> Iterator[bytes]:
        """Yield the contents of the packets that say so."""
        yield self.text.encode()


@dataclass(frozen=True)
class Bytes:
    """Memory as it stands, for ``x``."""

    data: bytes

    def packets(self) -> Iterator[bytes]:
        """Yield the contents of the packets that say so."""
        yield b"b" + self.data


@dataclass(frozen=True)
class Part:
    """A part of a document, the last one or not."""

    data: bytes
    is_last: bool

    def packets(self) -> Iterator[bytes]:
        """Yield the contents of the packets that say so."""
        yield (b"l" if self.is_last else b"m") + self.data


@dataclass(frozen=True)
class Console:
    """What a monitor command prints; a failed one also makes gdb give up the script that it stands in."""

    text: str
    failed: bool = False

    def packets(self) -> Iterator[bytes]:
        """Yield the contents of the packets that say so."""
        data = self.text.encode()
        for start in range(0, len(data), _CONSOLE_PART):
            yield b"O" + data[start : start + _CONSOLE_PART].hex().encode()
        yield b"E01" if self.failed else b"OK"


@dataclass(frozen=True)
class Silence:
    """No reply at all."""

    def packets(self) -> Iterator[bytes]:
        """Yield nothing."""
        yield from ()


@dataclass(frozen=True)
class Stopped:
    """A stop: the thread, why, and registers by number as hexadecimal digits.

    ``point`` is what was hit, with the watched address that was touched; ``edge`` is ``begin`` or ``end``
    where the recording has no more.
    """

    thread: int
    signal: int = TRAP
    point: PointKind | None = None
    address: int | None = None
    edge: str | None = None
    registers: Mapping[int, str] = field(default_factory=dict)

    def packets(self) -> Iterator[bytes]:
        """Yield the contents of the packets that say so."""
        fields = [f"{number:02x}:{value};" for number, value in self.registers.items()]
        fields.append(f"thread:{self.thread:x};")
        if self.point is not None:
            value = "" if self.address is None else f"{self.address:x}"
            fields.append(f"{_REASONS[self.point]}:{value};")
        if self.edge is not None:
            fields.append(f"replaylog:{self.edge};")
        yield f"T{self.signal:02x}{''.join(fields)}".encode()


Reply = Ok | NotSupported | Failure | Text | Bytes | Part | Console | Silence | Stopped
