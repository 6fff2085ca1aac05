"""Where epochs go while the guest runs: straight into the trace, or into segments of its newest part."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Protocol

from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import IMAGE, Message
from tracedbg.format.writer import TraceWriter
from tracedbg.record.builder import TraceBuilder
from tracedbg.record.disk import lock, open_patient
from tracedbg.record.fold import Fold
from tracedbg.record.outputs import Outputs
from tracedbg.record.ram import Ram
from tracedbg.record.segments import SegmentReader, SegmentWriter
from tracedbg.record.slots import Range

_WHOLE = "whole"
_MILLION = 1_000_000

Columns = Mapping[str, AnyArray]
Conclude = Callable[[TraceBuilder], None]


@dataclass(frozen=True)
class Start:
    """What is known when recording begins: the ``guest`` record, RAM, and where the console is."""

    guest: Mapping[str, Any]
    ranges: tuple[Range, ...]
    ram: Ram
    uarts: Sequence[int]


@dataclass(frozen=True)
class Means:
    """What a sink writes with; ``make_room`` is called when the disk is full."""

    outputs: Outputs
    library: Path
    level: int
    make_room: Callable[[], None]

    def open(self, path: Path) -> BinaryIO:
        """Return a new file that asks for room before it fails."""
        return open_patient(path, self.make_room)

    def builder(self, file: BinaryIO) -> TraceBuilder:
        """Return a builder of a whole trace."""
        return TraceBuilder(file, Fold(self.library), level=self.level)


class Sink(Protocol):
    """Takes epochs in order. ``epochs`` and ``instructions`` count all that were added, kept or not."""

    @property
    def epochs(self) -> int: ...

    @property
    def instructions(self) -> int: ...

    @property
    def size(self) -> int:
        """Bytes on disk."""

    @property
    def writer(self) -> TraceWriter:
        """Where attachments go."""

    def begin(self, start: Start) -> None:
        """Write what comes before the first epoch."""

    def add(self, messages: Mapping[Message, Columns], first_t: int, end_t: int) -> None:
        """Write an epoch."""

    def save_room(self) -> None:
        """Write no more than is needed from now on."""

    def finish(self, conclude: Conclude) -> Path:
        """Write what comes after the last epoch, with the help of ``conclude``; return the whole trace."""

    def close(self) -> None:
        """Close all files; harmless after ``finish``."""


class WholeTrace:
    """A trace that grows to its end, in one file."""

    def __init__(self, means: Means) -> None:
        self._path = means.outputs.partial
        self._file = means.open(self._path)
        lock(self._file.fileno(), self._path)
        self._builder = means.builder(self._file)

    @property
    def epochs(self) -> int:
        return self._builder.epochs

    @property
    def instructions(self) -> int:
        return self._builder.instructions

    @property
    def size(self) -> int:
        return self._path.stat().st_size if self._path.exists() else 0

    @property
    def writer(self) -> TraceWriter:
        return self._builder.writer

    def begin(self, start: Start) -> None:
        self.writer.metadata("guest", start.guest)
        for columns in start.ram.iter_image():
            self.writer.write(IMAGE, columns, start.guest["start_t"])
        self._builder.watch_uarts(start.uarts)
        self.writer.flush()

    def add(self, messages: Mapping[Message, Columns], first_t: int, end_t: int) -> None:
        self._builder.add(messages, first_t, end_t)

    def save_room(self) -> None:
        self._builder.only_epochs = True

    def finish(self, conclude: Conclude) -> Path:
        conclude(self._builder)
        self._builder.finish()
        self._file.close()
        return self._path

    def close(self) -> None:
        self._file.close()


class NewestPart:
    """The newest ``millions`` of instructions, in a folder until the guest has ended."""

    def __init__(self, means: Means, millions: int) -> None:
        self._means = means
        self._keep = millions * _MILLION
        self._folder = means.outputs.partial
        self._folder.mkdir()
        self._segments = SegmentWriter(self._folder, self._keep, Fold(means.library), means.open)
        self._uarts: Sequence[int] = ()

    @property
    def epochs(self) -> int:
        return self._segments.epochs

    @property
    def instructions(self) -> int:
        return self._segments.instructions

    @property
    def size(self) -> int:
        return self._segments.size if self._folder.is_dir() else 0

    @property
    def writer(self) -> TraceWriter:
        return self._segments.head

    def begin(self, start: Start) -> None:
        self._uarts = start.uarts
        self._segments.begin(start.guest, start.ranges, start.ram.iter_image())

    def add(self, messages: Mapping[Message, Columns], first_t: int, end_t: int) -> None:
        self._segments.add(messages, first_t, end_t)

    def save_room(self) -> None:
        """Segments hold nothing that could be left out."""

    def finish(self, conclude: Conclude) -> Path:
        self._segments.close()
        path = self._folder / _WHOLE
        reader = SegmentReader(self._folder)
        with self._means.open(path) as file:
            builder = self._means.builder(file)
            builder.watch_uarts(self._uarts)
            reader.write(builder, self._keep)
            conclude(builder)
            builder.finish()
        reader.close()
        return path

    def close(self) -> None:
        self._segments.close()
