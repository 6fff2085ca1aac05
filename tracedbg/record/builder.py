"""Turns epochs, column by column as the plugin filled them, into the messages of a trace."""

from collections.abc import Mapping
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import (
    ACCESS_KIND_MASK,
    ACCESS_KIND_SHIFT,
    ACCESS_STORE,
    ACCESSES,
    BLOCKS,
    CONSOLE,
    EPOCH,
    LATE,
    SPAN,
    SPAN_FANOUT,
    SPAN_LEVELS,
    WRITES,
    AccessKind,
    Message,
)
from tracedbg.format.writer import TraceWriter
from tracedbg.record.fold import Fold

Columns = Mapping[str, AnyArray]

_DEVICE_STORE = ACCESS_STORE | AccessKind.DEVICE << ACCESS_KIND_SHIFT


class TraceBuilder:
    """Writes a trace epoch by epoch, in order; ``uarts`` are the physical addresses of data registers."""

    def __init__(self, file: BinaryIO, fold: Fold, *, level: int = 1) -> None:
        self.writer = TraceWriter(file, level=level)
        self.uarts: tuple[int, ...] = ()
        self.epochs = 0
        self.instructions = 0
        self.end_t = 0
        self._fold = fold
        self._first_t: list[int] = [0] * SPAN_LEVELS
        self._executed: list[NDArray[np.bool_]] = [np.zeros(0, bool) for _ in range(SPAN_LEVELS)]

    def add(self, messages: Mapping[Message, Columns], first_t: int, end_t: int) -> None:
        """Write an epoch from its blocks, epoch, writes, accesses and late columns."""
        epoch, accesses = dict(messages[EPOCH]), messages[ACCESSES]
        epoch["bounds"] = np.array([first_t, end_t], "<u8")
        for message in (BLOCKS, LATE):
            if any(len(rows) for rows in messages[message].values()):
                self.writer.write(message, messages[message], first_t)
        self.writer.write(EPOCH, epoch, first_t)
        self.writer.write(WRITES, messages[WRITES], first_t)
        self.writer.write(ACCESSES, accesses, first_t)
        self._add_console(accesses, first_t)
        self._fold.add(accesses)
        self._note_executed(epoch["run.block"])
        self._end_spans(first_t)
        self.instructions += end_t - first_t
        self.end_t = end_t
        self.writer.flush()

    def finish(self) -> None:
        """Write the summary and free what was kept for spans."""
        self.writer.finish()
        self._fold.close()

    def _add_console(self, accesses: Columns, first_t: int) -> None:
        rows = np.flatnonzero((accesses["flags"] & (ACCESS_STORE | ACCESS_KIND_MASK)) == _DEVICE_STORE)
        if not len(rows) or not self.uarts:
            return
        rows = rows[np.isin(physical_addresses(accesses, rows), np.array(self.uarts, "<u8"))]
        if len(rows):
            columns: dict[str, AnyArray] = {
                "t": accesses["t"][rows].astype("<u8") + np.uint64(first_t),
                "byte": accesses["value"][rows].astype("u1"),
            }
            self.writer.write(CONSOLE, columns, first_t)

    def _note_executed(self, blocks: AnyArray) -> None:
        if len(blocks):
            seen = np.zeros(int(blocks.max()) + 1, bool)
            seen[blocks] = True
            self._executed[0] = _either(self._executed[0], seen)

    def _end_spans(self, first_t: int) -> None:
        """Write the spans that end with this epoch; each level is folded into the one above."""
        for level in range(SPAN_LEVELS):
            length = SPAN_FANOUT**level
            if self.epochs % length == 0:
                self._first_t[level] = first_t
        self.epochs += 1
        for level in range(SPAN_LEVELS):
            length = SPAN_FANOUT**level
            if self.epochs % length:
                break
            columns = self._fold.take(level)
            columns["epochs"] = np.array([self.epochs - length, self.epochs], "<u4")
            columns["executed.block"] = np.flatnonzero(self._executed[level]).astype("<u4")
            self.writer.write(SPAN, columns, self._first_t[level], f"{SPAN.topic}/{level}")
            if level + 1 < SPAN_LEVELS:
                self._executed[level + 1] = _either(self._executed[level + 1], self._executed[level])
            self._executed[level] = np.zeros(0, bool)


def physical_addresses(accesses: Columns, rows: NDArray[np.intp]) -> AnyArray:
    """Return the physical addresses of some of an epoch's accesses."""
    starts = accesses["mapping.access"]
    deltas = np.concatenate([np.zeros(1, "<u8"), accesses["mapping.delta"]])
    found: AnyArray = accesses["virtual"][rows] + deltas[np.searchsorted(starts, rows, "right")]
    return found


def _either(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if len(a) < len(b):
        a, b = b, a
    joined = a.copy()
    joined[: len(b)] |= b
    return joined
