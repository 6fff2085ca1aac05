"""What stretches of epochs of a capture touched, for searches to pass over those that did not."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import LINE_SIZE, PAGE_SIZE, SPAN_FANOUT, SPAN_LEVELS, AccessKind
from tracedbg.gdb.capture.access import Access
from tracedbg.store.source import Numbers

_LINES_IN_PAGE = PAGE_SIZE // LINE_SIZE


def _nothing() -> Numbers:
    return np.empty(0, np.uint64)


@dataclass(frozen=True)
class Touched:
    """Addresses of bytes that were written, numbers of lines that were loaded from, and blocks that ran."""

    written: Numbers = field(default_factory=_nothing)
    lines: Numbers = field(default_factory=_nothing)
    blocks: Numbers = field(default_factory=_nothing)

    @classmethod
    def of(cls, blocks: Sequence[int], accesses: Sequence[Access], changed: Sequence[int]) -> Self:
        """Return what instructions did; at each address of ``changed`` eight bytes were something else."""
        loads = [each for each in accesses if not each.is_store and each.kind is not AccessKind.DEVICE]
        stores = [each for each in accesses if each.is_store and each.kind is AccessKind.RAM]
        # What a load brings from boot ROM or flash is all that tells of them.
        stores += [each for each in loads if each.kind is AccessKind.OTHER_MEMORY]
        written = [piece for each in stores for piece in each.pieces]
        written += [(address, 8) for address in changed]
        loaded = [piece for each in loads for piece in each.pieces]
        return cls(
            np.unique(_bytes(written)),
            np.unique(_bytes(loaded) // np.uint64(LINE_SIZE)),
            np.unique(np.array(blocks, np.uint64)),
        )

    def __or__(self, other: "Touched") -> "Touched":
        """Return what one of both has."""
        return Touched(
            np.union1d(self.written, other.written),
            np.union1d(self.lines, other.lines),
            np.union1d(self.blocks, other.blocks),
        )

    def columns(self, epochs: tuple[int, int]) -> dict[str, AnyArray]:
        """Return the columns of a span. What the written bytes hold is not told: gaps may lie between."""
        written, masks = _bits(self.written, PAGE_SIZE)
        read, lines = _bits(self.lines, _LINES_IN_PAGE)
        return {
            "epochs": np.array(epochs, "<u4"),
            "written.frame": written,
            "written.mask": masks,
            "written.bytes": np.empty(0, "u1"),
            "read.frame": read,
            "read.lines": lines.view("<u8"),
            "executed.block": self.blocks.astype("<u4"),
        }


def _bytes(pieces: Sequence[tuple[int, int]]) -> Numbers:
    """Return the address of each byte of pieces (address, size)."""
    start = np.array([address for address, _ in pieces], np.uint64)
    size = np.array([size for _, size in pieces], np.int64)
    within = np.arange(size.sum()) - np.repeat(np.cumsum(size) - size, size)
    addresses: Numbers = np.repeat(start, size) + within.astype(np.uint64)
    return addresses


def _bits(numbers: Numbers, count: int) -> tuple[Numbers, AnyArray]:
    """Return ascending numbers as frames of ``count`` each, and a bit for each number in its frame."""
    frames, row = np.unique(numbers // np.uint64(count), return_inverse=True)
    bits = np.zeros((len(frames), count), bool)
    bits[row, (numbers % np.uint64(count)).astype(np.int64)] = True
    return frames, np.packbits(bits, bitorder="little")


class Spans:
    """The spans of all levels that are under way."""

    def __init__(self) -> None:
        self._epochs = 0
        self._under_way = [Touched() for _ in range(SPAN_LEVELS)]
        self._first = [0] * SPAN_LEVELS

    def add(self, first: int, touched: Touched) -> Iterator[tuple[int, int, dict[str, AnyArray]]]:
        """Take in an epoch that begins at t ``first``; yield level, first t and columns of spans that end."""
        for level in range(SPAN_LEVELS):
            if self._epochs % SPAN_FANOUT**level == 0:
                self._first[level] = first
        self._epochs += 1
        for level in range(SPAN_LEVELS):
            touched = self._under_way[level] | touched
            length = SPAN_FANOUT**level
            if self._epochs % length:
                self._under_way[level] = touched
                return
            self._under_way[level] = Touched()
            yield level, self._first[level], touched.columns((self._epochs - length, self._epochs))
