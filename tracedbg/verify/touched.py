"""What a stretch of time loaded from and executed."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from tracedbg.format.schema import LINE_SIZE, PAGE_SIZE
from tracedbg.verify.accesses import WordRows
from tracedbg.verify.messages import Columns, Integers, Words

_WORDS_IN_LINE = np.uint64(LINE_SIZE // 8)
_LINES_IN_PAGE = np.uint64(PAGE_SIZE // LINE_SIZE)


@dataclass(frozen=True)
class Touched:
    """``lines`` are addresses / 64 of lines that were loaded from, ``blocks`` those that ran; ascending."""

    lines: Words
    blocks: Integers

    @classmethod
    def nothing(cls) -> Self:
        """Return that nothing was loaded and nothing ran."""
        return cls(np.empty(0, np.uint64), np.empty(0, np.int64))

    @classmethod
    def of(cls, epoch: Columns, rows: WordRows) -> Self:
        """Return what an epoch touched; ``rows`` are its accesses, sorted by word."""
        lines = rows.word[rows.reads] // _WORDS_IN_LINE
        fresh = np.concatenate([np.ones(min(len(lines), 1), bool), lines[1:] != lines[:-1]])
        # Marking is faster than sorting: there are a hundred times as many runs as blocks.
        ran = np.bincount(epoch.indices("run.block"))
        return cls(lines[fresh], np.flatnonzero(ran))

    def __or__(self, other: "Touched") -> "Touched":
        """Return what one of both has."""
        return Touched(np.union1d(self.lines, other.lines), np.union1d(self.blocks, other.blocks))

    def differences(self, span: Columns) -> list[str]:
        """Return a sentence for each kind of thing that a span says otherwise; raises Malformed."""
        span.require_equal("read.frame", "read.lines")
        span.require_ascending("read.frame", strictly=True)
        span.require_ascending("executed.block", strictly=True)
        found = []
        lines = np.setxor1d(self.lines, _lines(span))
        if len(lines):
            place = int(lines[0]) * LINE_SIZE
            found.append(f"{len(lines)} lines that were loaded from differ, {place:#x}")
        blocks = np.setxor1d(self.blocks, span.indices("executed.block"))
        if len(blocks):
            found.append(f"{len(blocks)} executed blocks differ, {int(blocks[0])}")
        return found


def _lines(span: Columns) -> Words:
    bits = np.unpackbits(span["read.lines"].view(np.uint8), bitorder="little").reshape(
        -1, int(_LINES_IN_PAGE)
    )
    row, line = np.nonzero(bits)
    lines: Words = span["read.frame"][row] * _LINES_IN_PAGE + line.astype(np.uint64)
    return lines
