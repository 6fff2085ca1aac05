"""Spans: what stretches of epochs left in memory and touched, and which of them lie where."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import SEGMENT_BYTES
from tracedbg.format.schema import LINE_SIZE, PAGE_SIZE, SPAN, SPAN_FANOUT, SPAN_LEVELS
from tracedbg.store.blocks import prefix_sum
from tracedbg.store.source import Flags, Integers, Numbers, Source, is_strictly_ascending

MASK_BYTES = PAGE_SIZE // 8
EPOCH_ALONE = -1
"""Level of a stretch that is one epoch without a span."""


@dataclass(frozen=True)
class Stretch:
    """Epochs ``start`` to ``stop`` and the span of ``level`` that tells of them, if there is one."""

    level: int
    start: int
    stop: int


class SpanData:
    """One span's columns, unpacked when asked for; TraceFormatError when they contradict each other."""

    def __init__(self, source: Source, topic: str, index: int, stretch: Stretch) -> None:
        self._source = source
        self._topic = topic
        self._index = index
        epochs = self._column("epochs").tolist()
        self._require(epochs == [stretch.start, stretch.stop], "epochs")

    def _column(self, name: str) -> NDArray[Any]:
        return self._source.column(self._topic, self._index, name)

    def _rows(self, name: str) -> int:
        return self._source.rows(self._topic, self._index, name)

    def _require(self, condition: bool | np.bool_, what: str) -> None:
        self._source.require(condition, f"{self._topic} {self._index} contradicts itself in {what}")

    def _slice(self, name: str, start: int, stop: int) -> NDArray[Any]:
        return self._source.message(self._topic, self._index).slice(name, start, stop)

    @property
    def written_frames(self) -> Numbers:
        """Frames in which a byte was stored or changed, ascending."""
        frames = self._frames("written.frame")
        self._require(self._rows("written.mask") == len(frames) * MASK_BYTES, "written.mask")
        return frames

    @property
    def read_frames(self) -> Numbers:
        """Frames that were loaded from, ascending."""
        frames = self._frames("read.frame")
        self._require(self._rows("read.lines") == len(frames), "read.lines")
        return frames

    def _frames(self, name: str) -> Numbers:
        frames = self._column(name)
        self._require(is_strictly_ascending(frames), name)
        return frames

    @property
    def executed(self) -> Numbers:
        """Blocks that ran, ascending."""
        return self._frames("executed.block")

    def written_mask(self, row: int) -> Flags:
        """Return whether each of the 4096 bytes of the frame at ``row`` of written_frames was written."""
        bits = self._slice("written.mask", row * MASK_BYTES, (row + 1) * MASK_BYTES)
        return np.unpackbits(bits, bitorder="little").view(np.bool_)

    def written_bytes(self, row: int) -> NDArray[np.uint8]:
        """Return the written bytes of the frame at ``row``, one for each that is set in its mask."""
        start, stop = self._byte_starts[row : row + 2].tolist()
        return self._slice("written.bytes", start, stop)

    @property
    def _byte_starts(self) -> Integers:
        return self._source.cache.get(("byte starts", self._topic, self._index), self._make_byte_starts)

    def _make_byte_starts(self) -> Integers:
        frames = len(self.written_frames)
        # Segment by segment, so that a span of much memory passes through the processor's cache.
        parts = [
            np.bitwise_count(self._slice("written.mask", start, start + SEGMENT_BYTES).view("<u8"))
            .reshape(-1, MASK_BYTES // 8)
            .sum(axis=1, dtype=np.int64)
            for start in range(0, frames * MASK_BYTES, SEGMENT_BYTES)
        ]
        starts = prefix_sum(np.concatenate(parts) if parts else np.empty(0, np.int64))
        self._require(starts[-1] == self._rows("written.bytes"), "written.bytes")
        return starts

    def writes(self, start: int, stop: int) -> bool:
        """Say whether a byte of physical addresses start to stop was written."""
        rows, frames = _rows_of(self.written_frames, start, stop)
        return any(
            bool(self.written_mask(row)[_within(frame, start, stop)].any())
            for row, frame in zip(rows, frames, strict=True)
        )

    def reads(self, start: int, stop: int) -> bool:
        """Say whether a 64-byte line with a byte of physical addresses start to stop was loaded from."""
        rows, frames = _rows_of(self.read_frames, start, stop)
        if not len(rows):
            return False
        lines = self._column("read.lines")[rows[0] : rows[-1] + 1].tolist()
        return any(bits & _line_bits(frame, start, stop) for bits, frame in zip(lines, frames, strict=True))

    def executes(self, blocks: Integers) -> bool:
        """Say whether one of ``blocks`` (ascending) ran."""
        executed = self.executed
        places = np.searchsorted(executed, blocks)
        inside = places < len(executed)
        return bool(np.any(executed[places[inside]] == blocks[inside]))


def _rows_of(frames: Numbers, start: int, stop: int) -> tuple[list[int], list[int]]:
    """Return the rows of the frames that overlap physical addresses start to stop, and these frames."""
    low, high = np.searchsorted(frames, np.array([start // PAGE_SIZE, -(-stop // PAGE_SIZE)], np.uint64))
    return list(range(low, high)), frames[low:high].tolist()


def _within(frame: int, start: int, stop: int) -> slice:
    base = frame * PAGE_SIZE
    return slice(max(start - base, 0), min(stop - base, PAGE_SIZE))


def _line_bits(frame: int, start: int, stop: int) -> int:
    bounds = _within(frame, start, stop)
    first, last = bounds.start // LINE_SIZE, (bounds.stop - 1) // LINE_SIZE
    bits: int = ((1 << (last - first + 1)) - 1) << first
    return bits


class SpanIndex:
    """Which spans a trace has. ``epochs`` is the number of its epochs."""

    def __init__(self, source: Source, epoch_starts: Numbers, epochs: int) -> None:
        self._source = source
        self.epochs = epochs
        self._levels = [self._place(level, epoch_starts) for level in range(SPAN_LEVELS)]

    def _place(self, level: int, epoch_starts: Numbers) -> dict[int, int]:
        """Return the message of each span by its first epoch."""
        times = self._source.file.times(f"{SPAN.topic}/{level}")
        first = np.searchsorted(epoch_starts, times)
        # The first epoch of a capture is empty: it and the next one begin at the same t.
        first[1:] += times[1:] == times[:-1]
        here = first < self.epochs
        here[here] &= epoch_starts[first[here]] == times[here]
        here &= first % SPAN_FANOUT**level == 0
        return dict(zip(first[here].tolist(), np.flatnonzero(here).tolist(), strict=True))

    def span(self, stretch: Stretch) -> SpanData:
        """Return the span of a stretch, which must have one."""
        topic = f"{SPAN.topic}/{stretch.level}"
        return SpanData(self._source, topic, self._levels[stretch.level][stretch.start], stretch)

    def cover(self, start: int, stop: int, *, reverse: bool, below: int = SPAN_LEVELS) -> Iterator[Stretch]:
        """Yield stretches that make up epochs start to stop, as long ones as there are spans under ``below``.

        In order of time, or the newest first when ``reverse``.
        """
        while start < stop:
            stretch = self._newest(start, stop, below) if reverse else self._oldest(start, stop, below)
            yield stretch
            if reverse:
                stop = stretch.start
            else:
                start = stretch.stop

    def _newest(self, start: int, stop: int, below: int) -> Stretch:
        for level in reversed(range(below)):
            first = (stop - 1) // SPAN_FANOUT**level * SPAN_FANOUT**level
            if first >= start and first in self._levels[level] and self._end(first, level) == stop:
                return Stretch(level, first, stop)
        return Stretch(EPOCH_ALONE, stop - 1, stop)

    def _oldest(self, start: int, stop: int, below: int) -> Stretch:
        for level in reversed(range(below)):
            if start in self._levels[level] and self._end(start, level) <= stop:
                return Stretch(level, start, self._end(start, level))
        return Stretch(EPOCH_ALONE, start, start + 1)

    def _end(self, first: int, level: int) -> int:
        end: int = min(first + SPAN_FANOUT**level, self.epochs)
        return end

    def candidates(
        self, start: int, stop: int, hit: Callable[[SpanData], bool], *, reverse: bool = False
    ) -> Iterator[int]:
        """Yield the epochs from start to stop that may hold what ``hit`` asks a span for.

        In order of time, or the newest first when ``reverse``. Epochs without a span are all yielded.
        """
        yield from self._candidates(start, stop, hit, reverse, SPAN_LEVELS)

    def _candidates(
        self, start: int, stop: int, hit: Callable[[SpanData], bool], reverse: bool, below: int
    ) -> Iterator[int]:
        for stretch in self.cover(start, stop, reverse=reverse, below=below):
            if stretch.level != EPOCH_ALONE and not hit(self.span(stretch)):
                continue
            if stretch.stop - stretch.start == 1:
                yield stretch.start
            else:
                yield from self._candidates(stretch.start, stretch.stop, hit, reverse, stretch.level)
