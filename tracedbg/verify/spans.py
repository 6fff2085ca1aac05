"""Spans, compared with what their epochs wrote and with memory as it is when they end."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import PAGE_SIZE, SPAN, SPAN_FANOUT, SPAN_LEVELS
from tracedbg.verify.memory import Memory
from tracedbg.verify.messages import Bytes, Columns, Malformed, Words, require
from tracedbg.verify.report import Report
from tracedbg.verify.touched import Touched
from tracedbg.verify.written import MASK_BYTES, WrittenBytes

_FRAMES_AT_ONCE = 1 << 10


@dataclass(frozen=True)
class Done:
    """What a stretch of time wrote, loaded from and executed."""

    written: WrittenBytes
    touched: Touched

    @classmethod
    def nothing(cls) -> Self:
        """Return that nothing was done."""
        return cls(WrittenBytes.nothing(), Touched.nothing())

    def __or__(self, other: "Done") -> "Done":
        """Return what one of both did."""
        return Done(self.written | other.written, self.touched | other.touched)


class SpanCheck:
    """Follows the spans of all levels that are under way."""

    def __init__(self, file: TraceFile, memory: Memory, report: Report) -> None:
        self._file = file
        self._memory = memory
        self._report = report
        # By level: what the span under way has done, up to the last span of the level below.
        self._under_way = [Done.nothing() for _ in range(SPAN_LEVELS)]

    def add(self, epochs: int, done: Done) -> None:
        """Take in what the last of ``epochs`` epochs did, and compare the spans that end with it."""
        for level in range(SPAN_LEVELS):
            done = self._under_way[level] | done
            length = SPAN_FANOUT**level
            if epochs % length:
                self._under_way[level] = done
                break
            self._compare(level, (epochs - length, epochs), done)
            self._under_way[level] = Done.nothing()

    def end(self, epochs: int) -> None:
        """Compare the spans that the end of the trace, after ``epochs`` epochs, cuts short."""
        done = Done.nothing()
        for level in range(SPAN_LEVELS):
            done = self._under_way[level] | done
            over = epochs % SPAN_FANOUT**level
            if over:
                self._compare(level, (epochs - over, epochs), done)

    def _compare(self, level: int, epochs: tuple[int, int], done: Done) -> None:
        topic, number = f"{SPAN.topic}/{level}", epochs[0] // SPAN_FANOUT**level
        # A recorder that runs out of room leaves spans out, and a short one need not be there.
        if number >= self._file.count(topic):
            return
        span = Columns(self._file.fetch(topic, number))
        place = f"level {level} span of epochs {epochs[0]} to {epochs[1] - 1}"
        try:
            _check(span, epochs)
            wrong = self._wrong(span, done.written)
            others = done.touched.differences(span)
        except Malformed as error:
            self._report.differ("structure", 1, f"{place}: {error}")
            return
        first = ", ".join(hex(int(frame) * PAGE_SIZE) for frame in wrong[:3])
        self._report.differ("spans", len(wrong), f"{place}: {len(wrong)} frames differ, {first}")
        for other in others:
            self._report.differ("spans", 1, f"{place}: {other}")

    def _wrong(self, span: Columns, written: WrittenBytes) -> Words:
        """Return the frames of which the span does not tell what was written there; raises Malformed."""
        frames, masks = span["written.frame"], span["written.mask"].reshape(-1, MASK_BYTES)
        wrong = [np.setxor1d(frames, written.frames)]
        common, here, own = np.intersect1d(frames, written.frames, assume_unique=True, return_indices=True)
        wrong.append(common[(masks[here] != written.masks[own]).any(axis=1)])
        if self._report.is_capture:
            # Gaps may lie in a span, over which nothing is left that could be told.
            require(not span.rows("written.bytes"), "it has bytes, which a capture's spans do not tell")
        else:
            wrong.extend(self._wrong_bytes(span, frames, masks))
        return np.unique(np.concatenate(wrong))

    def _wrong_bytes(self, span: Columns, frames: Words, masks: Bytes) -> list[Words]:
        """Return the frames whose bytes in the span are not in memory; raises Malformed."""
        wrong, end = [], 0
        content = span["written.bytes"]
        for start in range(0, len(frames), _FRAMES_AT_ONCE):
            some = slice(start, start + _FRAMES_AT_ONCE)
            set_bits = np.unpackbits(masks[some], axis=1, bitorder="little").view(bool)
            expected = self._memory.pages(frames[some])[set_bits]
            held = content[end : end + len(expected)]
            end += len(expected)
            require(len(held) == len(expected), "it has fewer bytes than are set in its masks")
            differ = np.flatnonzero(expected != held)
            if len(differ):
                wrong.append(frames[some][np.unique(np.nonzero(set_bits)[0][differ])])
        require(end == len(content), "it has more bytes than are set in its masks")
        return wrong


def _check(span: Columns, epochs: tuple[int, int]) -> None:
    found = span["epochs"].tolist()
    require(found == list(epochs), f"it says that it is of epochs {found}")
    span.require_ascending("written.frame", strictly=True)
    frames, given = span.rows("written.frame"), span.rows("written.mask")
    require(given == frames * MASK_BYTES, f"{frames} frames have {given} bytes of masks")
