"""What a page of physical memory held at a moment, fast for many moments of one epoch."""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Epoch, Frame, PhysicalAddress, Time
from tracedbg.query.memory import memory_at
from tracedbg.query.sampled import sampled_at
from tracedbg.query.written import Content, written_bytes
from tracedbg.store.source import Flags, Integers
from tracedbg.store.trace import Trace

FEW_READS = 32
"""Looks at a few bytes that cost about as much as the history of a page that is written often."""


@dataclass(frozen=True)
class _Page:
    content: Content
    known: Flags

    @property
    def nbytes(self) -> int:
        return self.content.nbytes + self.known.nbytes


@dataclass(frozen=True)
class _PageHistory:
    """A page when an epoch begins, and each byte written in the epoch, in order of time.

    ``shown`` is the offset of the first moment that shows the byte.
    """

    content: Content
    known: Flags
    shown: Integers
    place: Integers
    byte: Content

    @property
    def nbytes(self) -> int:
        return sum(each.nbytes for each in (self.content, self.known, self.shown, self.place, self.byte))


@dataclass
class _Reads:
    """How often a few bytes of a page were asked for in an epoch."""

    count: int = 0
    nbytes: int = 64


def is_worth_a_page(trace: Trace, frame: Frame, t: Time) -> bool:
    """Say whether it is time to ask for a whole page at ``t``, and not for a few bytes of it once more.

    Each question counts: the first few of an epoch that writes the page are answered sooner one by one.
    """
    index = trace.epoch_of(t)
    if _last_writing(trace, frame, index) < index:
        return True
    reads = trace.kept(("reads", index, frame), _Reads)
    reads.count += 1
    return reads.count > FEW_READS


def page_at(trace: Trace, frame: Frame, t: Time) -> tuple[Content, Flags]:
    """Return the 4096 bytes of a frame at moment ``t``, and which of them are known; as ``memory_at`` does.

    What the page went through in the epoch of ``t`` is kept, so that the next moment there costs little; of a
    page that is not written there, what the last epoch that wrote it left.
    """
    if trace.guest.is_capture:
        return sampled_at(trace, frame * PAGE_SIZE, PAGE_SIZE, t)
    index = trace.epoch_of(t)
    last = _last_writing(trace, frame, index)
    if last < index:
        page = trace.kept(("page left", last, frame), lambda: _left(trace, frame, last))
        return page.content.copy(), page.known.copy()
    history = trace.kept(("page", index, frame), lambda: _history(trace, frame, index))
    content, known = history.content.copy(), history.known.copy()
    count = int(np.searchsorted(history.shown, t - int(trace.epoch_starts[index]), "right"))
    # Where a place occurs several times numpy keeps the last, which is the newest.
    content[history.place[:count]] = history.byte[:count]
    known[history.place[:count]] = True
    return content, known


def _last_writing(trace: Trace, frame: Frame, index: Epoch) -> int:
    """Return the last epoch up to ``index`` that may write a frame, -1 for none."""

    def find() -> Integers:
        start = frame * PAGE_SIZE
        found = trace.spans.candidates(
            0, index + 1, lambda span: span.writes(start, start + PAGE_SIZE), reverse=True
        )
        return np.array([next(found, -1)], np.int64)

    return int(trace.kept(("last writing", index, frame), find)[0])


def _left(trace: Trace, frame: Frame, last: int) -> _Page:
    """Return what a frame holds after epoch ``last``, up to the next one that writes it."""
    t = Time(int(trace.epoch_starts[last + 1]))
    return _Page(*memory_at(trace, PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE, t))


def _history(trace: Trace, frame: Frame, index: Epoch) -> _PageHistory:
    epoch = trace.epoch(index)
    start = frame * PAGE_SIZE
    content, known = memory_at(trace, PhysicalAddress(start), PAGE_SIZE, epoch.start)
    shown, address, byte = written_bytes(epoch, start, start + PAGE_SIZE, epoch.length + 1)
    inside = (address >= np.uint64(start)) & (address < np.uint64(start + PAGE_SIZE))
    place = (address[inside] - np.uint64(start)).astype(np.int64)
    return _PageHistory(content, known, shown[inside], place, byte[inside])
