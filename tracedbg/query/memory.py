"""What bytes of physical memory held at a moment."""

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Epoch, Frame, PhysicalAddress, Time
from tracedbg.query.sampled import sampled_at
from tracedbg.query.written import Content, newest_written
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags
from tracedbg.store.spans import EPOCH_ALONE, SpanData
from tracedbg.store.trace import Trace

SIZE_LIMIT = 1 << 26


def memory_at(trace: Trace, physical: PhysicalAddress, size: int, t: Time) -> tuple[Content, Flags]:
    """Return ``size`` bytes from a physical address at moment ``t``, and which of them are known.

    Both arrays have ``size`` rows; unknown bytes are 0. RAM is known from the start of the trace on,
    other memory where it was loaded from or seen to change. Of a capture only what was read, loaded or stored
    since the last gap is known. ValueError for a t outside the trace or a
    size beyond SIZE_LIMIT.
    """
    if not 0 <= size <= SIZE_LIMIT:
        raise ValueError(f"{size} bytes of memory are more than {SIZE_LIMIT}")
    if trace.guest.is_capture:
        return sampled_at(trace, physical, size, t)
    index = trace.epoch_of(t)
    epoch = trace.epoch(index)
    wanted = _Wanted(physical, size)
    wanted.add_epoch(epoch, t - epoch.start)
    for stretch in trace.spans.cover(0, index, reverse=True):
        if not wanted.missing():
            break
        if stretch.level == EPOCH_ALONE:
            older = trace.epoch(Epoch(stretch.start))
            wanted.add_epoch(older, older.length)
        else:
            wanted.add_span(trace.spans.span(stretch))
    wanted.add_image(trace)
    return wanted.content, wanted.known


class _Wanted:
    """Bytes that are filled in from what is newest to what is oldest."""

    def __init__(self, physical: int, size: int) -> None:
        self._start = physical
        self._stop = physical + size
        self.content: Content = np.zeros(size, np.uint8)
        self.known: Flags = np.zeros(size, np.bool_)

    def missing(self) -> bool:
        return not self.known.all()

    def _fill(self, start: int, content: Content, valid: Flags) -> None:
        """Take the valid bytes of ``content``, from address ``start`` on, where nothing newer is known."""
        place = slice(start - self._start, start - self._start + len(content))
        new = valid & ~self.known[place]
        self.content[place][new] = content[new]
        self.known[place] |= valid

    def add_epoch(self, epoch: EpochData, stop: int) -> None:
        """Take what stores before offset ``stop`` of an epoch and changes up to it left."""
        for address, byte in newest_written(epoch, self._start, self._stop, stop):
            content = np.zeros(len(self.content), np.uint8)
            valid = np.zeros(len(self.content), np.bool_)
            inside = (address >= np.uint64(self._start)) & (address < np.uint64(self._stop))
            places = (address[inside] - np.uint64(self._start)).astype(np.int64)
            # Where a place occurs several times numpy keeps the last, which is the newest.
            content[places] = byte[inside]
            valid[places] = True
            self._fill(self._start, content, valid)
            if not self.missing():
                return

    def add_span(self, span: SpanData) -> None:
        """Take what a span left."""
        frames = span.written_frames
        low, high = np.searchsorted(frames, np.array(self._frames(), np.uint64))
        for row, frame in enumerate(frames[low:high].tolist(), int(low)):
            mask = span.written_mask(row)
            page = np.zeros(PAGE_SIZE, np.uint8)
            page[mask] = span.written_bytes(row)
            self._fill_page(frame, page, mask)

    def add_image(self, trace: Trace) -> None:
        """Take the bytes of RAM as they were at the first t."""
        for frame in range(*self._frames()):
            if trace.guest.is_ram(PhysicalAddress(frame * PAGE_SIZE)) and self.missing():
                self._fill_page(frame, trace.image_page(Frame(frame)), np.ones(PAGE_SIZE, np.bool_))

    def _frames(self) -> tuple[int, int]:
        return self._start // PAGE_SIZE, -(-self._stop // PAGE_SIZE)

    def _fill_page(self, frame: int, page: Content, valid: Flags) -> None:
        base = frame * PAGE_SIZE
        inside = slice(max(self._start - base, 0), min(self._stop - base, PAGE_SIZE))
        self._fill(base + inside.start, page[inside], valid[inside])
