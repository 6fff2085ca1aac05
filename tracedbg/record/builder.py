"""Turns epochs, column by column as the plugin filled them, into the messages of a trace."""

from collections.abc import Mapping, Sequence
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import AnyArray, PackedMessage
from tracedbg.format.schema import (
    ACCESSES,
    BLOCKS,
    CONSOLE,
    EPOCH,
    LATE,
    SPAN,
    SPAN_FANOUT,
    SPAN_LEVELS,
    WRITES,
    Message,
)
from tracedbg.format.writer import TraceWriter
from tracedbg.record.console import ConsoleReader
from tracedbg.record.fold import Fold
from tracedbg.record.groups import Groups
from tracedbg.record.stored import StoredEpoch

Columns = Mapping[str, AnyArray]


class TraceBuilder:
    """Writes a trace epoch by epoch, in order.

    ``only_epochs`` may be set when the disk gets full: spans of more than one epoch are then left out.
    ``has_spans`` is for captures to unset: across their gaps no bytes can be told.
    """

    def __init__(self, file: BinaryIO, fold: Fold, *, level: int = 1) -> None:
        self.writer = TraceWriter(file, level=level)
        self.epochs = 0
        self.instructions = 0
        self.end_t = 0
        self.only_epochs = False
        self.has_spans = True
        self._fold = fold
        self._groups = Groups(fold.library)
        self._console = ConsoleReader(())
        self._first_t: list[int] = [0] * SPAN_LEVELS
        self._executed: list[NDArray[np.bool_]] = [np.zeros(0, bool) for _ in range(SPAN_LEVELS)]

    def watch_uarts(self, uarts: Sequence[int]) -> None:
        """Take what is stored to these data registers, by physical address, for the console."""
        self._console = ConsoleReader(uarts)

    def add(self, messages: Mapping[Message, Columns], first_t: int, end_t: int) -> None:
        """Write an epoch from its blocks, epoch, writes (in order of t), accesses and late columns."""
        if len(messages[BLOCKS]["instructions"]):
            self.writer.write(BLOCKS, messages[BLOCKS], first_t)
        write_epoch(self.writer, messages, (first_t, end_t), self._groups)
        self._follow(messages[ACCESSES], messages[EPOCH]["run.block"], first_t, end_t)

    def add_blocks(self, message: PackedMessage, columns: Columns, time: int) -> None:
        """Copy a part of the block dictionary; in order, before the epochs that need it."""
        self._groups.add_blocks(columns)
        self.writer.write_packed(BLOCKS, message.payload(), time)

    def add_stored(self, stored: StoredEpoch, *, start_t: int = 0) -> None:
        """Copy an epoch from another file into a trace that begins at ``start_t``."""
        cut = stored.without_past(start_t) if start_t else None
        for message, packed in stored.messages:
            if message is EPOCH and cut is not None:
                self.writer.write(EPOCH, cut, stored.first_t)
            else:
                self.writer.write_packed(message, packed.payload(), stored.first_t)
        accesses = {column.name: stored.accesses.column(column.name) for column in ACCESSES.columns}
        self._follow(accesses, stored.epoch.column("run.block"), stored.first_t, stored.end_t)

    def finish(self) -> None:
        """Write the summary and free what was kept for spans."""
        self.writer.finish()
        self._fold.close()

    def _follow(self, accesses: Columns, blocks: AnyArray, first_t: int, end_t: int) -> None:
        """Write what follows from an epoch: console and spans."""
        console = self._console.read(accesses, first_t)
        if console is not None:
            self.writer.write(CONSOLE, console, first_t)
        if self.has_spans:
            self._fold.add(accesses)
            self._executed[0] = _either(self._executed[0], executed_blocks(blocks))
            self._end_spans(first_t)
        else:
            self.epochs += 1
        self.instructions += end_t - first_t
        self.end_t = end_t
        self.writer.flush()

    def _end_spans(self, first_t: int) -> None:
        """Write the spans that end with this epoch; each level is folded into the one above."""
        for level in range(SPAN_LEVELS):
            length = SPAN_FANOUT**level
            if self.epochs % length == 0:
                self._first_t[level] = first_t
        self.epochs += 1
        for level in range(SPAN_LEVELS):
            length = SPAN_FANOUT**level
            if self.epochs % length or (level and self.only_epochs):
                break
            columns = self._fold.take(level)
            columns["epochs"] = np.array([self.epochs - length, self.epochs], "<u4")
            columns["executed.block"] = np.flatnonzero(self._executed[level]).astype("<u4")
            self.writer.write(SPAN, columns, self._first_t[level], f"{SPAN.topic}/{level}")
            if level + 1 < SPAN_LEVELS:
                self._executed[level + 1] = _either(self._executed[level + 1], self._executed[level])
            self._executed[level] = np.zeros(0, bool)


def write_epoch(
    writer: TraceWriter, messages: Mapping[Message, Columns], bounds: tuple[int, int], groups: Groups
) -> None:
    """Write the late, epoch, writes and accesses messages of an epoch with these bounds."""
    groups.add_blocks(messages[BLOCKS])
    if len(messages[LATE]["t"]):
        writer.write(LATE, messages[LATE], bounds[0])
    writer.write(EPOCH, {**messages[EPOCH], "bounds": np.array(bounds, "<u8")}, bounds[0])
    writer.write(WRITES, {"value": groups.group(messages)}, bounds[0])
    writer.write(ACCESSES, messages[ACCESSES], bounds[0])


def executed_blocks(blocks: AnyArray) -> NDArray[np.bool_]:
    """Return for each block up to the last of ``blocks`` whether it is among them."""
    seen = np.zeros(int(blocks.max()) + 1 if len(blocks) else 0, bool)
    seen[blocks] = True
    return seen


def _either(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> NDArray[np.bool_]:
    if len(a) < len(b):
        a, b = b, a
    joined = a.copy()
    joined[: len(b)] |= b
    return joined
