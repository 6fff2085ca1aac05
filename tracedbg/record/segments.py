"""The newest part of a recording: epochs in segment files, dropped from the front as new ones come.

A folder holds ``head`` (a trace file with the guest and the whole block dictionary), ``base`` (RAM as it
was before the first segment) and the segments, trace files of up to SEGMENT_EPOCHS epochs, named by the
number of their first. Each epoch comes with its span of level 0, by which the base rolls forward when the
epoch is dropped.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from tracedbg.errors import TraceFormatError
from tracedbg.format.columns import AnyArray
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import ACCESSES, BLOCKS, EPOCH, IMAGE, SPAN, Message
from tracedbg.format.writer import TraceWriter
from tracedbg.record.base import BaseImage
from tracedbg.record.builder import TraceBuilder, executed_blocks, write_epoch
from tracedbg.record.disk import lock
from tracedbg.record.drain import BlockSizes
from tracedbg.record.fold import Fold
from tracedbg.record.groups import Groups
from tracedbg.record.slots import Range
from tracedbg.record.stored import count_epochs, guest_of, iter_blocks, read_epoch

SEGMENT_EPOCHS = 8
HEAD = "head"
BASE = "base"
_SUFFIX = ".segment"

Columns = Mapping[str, AnyArray]
OpenFile = Callable[[Path], BinaryIO]


@dataclass(frozen=True)
class _Segment:
    path: Path
    instructions: int


class SegmentWriter:
    """Keeps at least the newest ``keep`` instructions, in whole epochs."""

    def __init__(self, folder: Path, keep: int, fold: Fold, open_file: OpenFile) -> None:
        self.epochs = 0
        self.instructions = 0
        self._folder = folder
        self._keep = keep
        self._fold = fold
        self._groups = Groups(fold.library)
        self._open = open_file
        self._whole: list[_Segment] = []
        self._base: BaseImage | None = None
        self._head_file = open_file(folder / HEAD)
        lock(self._head_file.fileno(), folder)
        self.head = TraceWriter(self._head_file)
        self._file: BinaryIO | None = None
        self._segment: TraceWriter | None = None
        self._instructions = 0

    @property
    def size(self) -> int:
        """Bytes that the segments take."""
        return sum(path.stat().st_size for path in self._folder.glob("*" + _SUFFIX))

    def begin(self, guest: Mapping[str, Any], ranges: Iterable[Range], image: Iterable[Columns]) -> None:
        """Keep the machine and the RAM that it starts with."""
        self.head.metadata("guest", guest)
        self.head.flush()
        self._base = BaseImage(self._folder / BASE, tuple(ranges))
        self._base.load(image)

    def add(self, messages: Mapping[Message, Columns], first_t: int, end_t: int) -> None:
        """Write an epoch, and drop what is too old."""
        if len(messages[BLOCKS]["instructions"]):
            self.head.write(BLOCKS, messages[BLOCKS], first_t)
            self.head.flush()
        writer = self._writer()
        write_epoch(writer, messages, (first_t, end_t), self._groups)
        self._fold.add(messages[ACCESSES])
        span = self._fold.take(0)
        span["epochs"] = np.array([self.epochs, self.epochs + 1], "<u4")
        blocks = messages[EPOCH]["run.block"]
        span["executed.block"] = np.flatnonzero(executed_blocks(blocks)).astype("<u4")
        writer.write(SPAN, span, first_t, f"{SPAN.topic}/0")
        writer.flush()
        self.epochs += 1
        self.instructions += end_t - first_t
        self._instructions += end_t - first_t
        if self.epochs % SEGMENT_EPOCHS == 0:
            self._end_segment()

    def close(self) -> None:
        """Close all files; ``SegmentReader`` then reads them."""
        self._end_segment()
        self._head_file.close()
        self._fold.close()
        if self._base is not None:
            self._base.close()
            self._base = None

    def _writer(self) -> TraceWriter:
        if self._segment is None:
            self._file = self._open(self._folder / f"{self.epochs:010}{_SUFFIX}")
            self._segment = TraceWriter(self._file)
        return self._segment

    def _end_segment(self) -> None:
        if self._segment is None or self._file is None:
            return
        self._segment.finish()
        self._file.close()
        self._whole.append(_Segment(Path(self._file.name), self._instructions))
        self._segment, self._instructions = None, 0
        while sum(part.instructions for part in self._whole[1:]) >= self._keep and self._base is not None:
            drop_segment(self._whole.pop(0).path, self._base)


def drop_segment(path: Path, base: BaseImage) -> None:
    """Apply a segment to the base, then remove it."""
    with TraceFile(path) as file:
        for index in range(file.count(f"{SPAN.topic}/0")):
            apply_span(file, index, base)
    path.unlink()


def apply_span(file: TraceFile, index: int, base: BaseImage) -> None:
    """Roll the base over one epoch."""
    span = file.fetch(f"{SPAN.topic}/0", index)
    base.apply({name: span.column(name) for name in ("written.frame", "written.mask", "written.bytes")})


class SegmentReader:
    """The folder of an ended recording."""

    def __init__(self, folder: Path) -> None:
        self._head = TraceFile(folder / HEAD)
        self.guest = guest_of(self._head)
        ranges = [Range(area["start"], area["size"], 0) for area in self.guest["ram"]]
        self._base = BaseImage(folder / BASE, ranges)
        self._files: list[TraceFile] = []
        self.losses: list[str] = []
        paths = sorted(folder.glob("*" + _SUFFIX))
        self.first_epoch = int(paths[0].stem) if paths else 0
        for path in paths:
            if not self._open(path):
                break
        self._epochs = [(file, index) for file in self._files for index in range(_whole_epochs(file))]

    @property
    def end_epoch(self) -> int:
        """Number of the epoch after the last one, counted from the start of the recording."""
        return self.first_epoch + len(self._epochs)

    def write(self, builder: TraceBuilder, keep: int | None) -> None:
        """Write a trace of the newest ``keep`` instructions (all when None), up to its last whole epoch."""
        first = 0 if keep is None else self._first_kept(keep)
        for file, index in self._epochs[:first]:
            apply_span(file, index, self._base)
        start_t = self._first_t(first)
        builder.writer.metadata("guest", {**self.guest, "start_t": start_t})
        for columns in self._base.iter_image():
            builder.writer.write(IMAGE, columns, start_t)
        for time, message, columns in iter_blocks(self._head, 0, self._end_t()):
            builder.add_blocks(message, columns, max(time, start_t))
        for entry in self._head.attachments:
            content = self._head.attachment(entry)
            builder.writer.attach(entry.name, entry.media_type, content, compress=entry.is_compressed)
        for file, index in self._epochs[first:]:
            builder.add_stored(read_epoch(file, index), start_t=start_t)

    def block_sizes(self) -> BlockSizes:
        """Return what finishing an epoch needs of the block dictionary."""
        sizes = BlockSizes()
        for _, _, columns in iter_blocks(self._head, 0, self._end_t()):
            sizes.add(columns)
        return sizes

    def close(self) -> None:
        """Close all files."""
        self._head.close()
        self._base.close()
        for file in self._files:
            file.close()

    def _open(self, path: Path) -> bool:
        try:
            self._files.append(TraceFile(path))
        except TraceFormatError as error:
            self.losses.append(str(error))
            return False
        return True

    def _first_kept(self, keep: int) -> int:
        end_t = self._end_t()
        return max((n for n in range(len(self._epochs)) if end_t - self._first_t(n) >= keep), default=0)

    def _end_t(self) -> int:
        if not self._epochs:
            return int(self.guest["start_t"])
        file, index = self._epochs[-1]
        return int(file.fetch(EPOCH.topic, index).column("bounds")[1])

    def _first_t(self, first: int) -> int:
        if first >= len(self._epochs):
            return int(self.guest["start_t"])
        file, index = self._epochs[first]
        return int(file.times(EPOCH.topic)[index])


def _whole_epochs(file: TraceFile) -> int:
    """An epoch whose span was cut off cannot be dropped later, and its slot still has it."""
    return min(count_epochs(file), file.count(f"{SPAN.topic}/0"))
