"""Epochs as a file holds them: read back whole, to be copied into another trace without packing them again."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.errors import TraceFormatError
from tracedbg.format.columns import AnyArray, PackedMessage
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import ACCESSES, BLOCKS, EPOCH, LATE, NEVER, WRITES, Message


@dataclass(frozen=True)
class StoredEpoch:
    """An epoch's messages, packed; ``late`` has one or none."""

    first_t: int
    end_t: int
    epoch: PackedMessage
    writes: PackedMessage
    accesses: PackedMessage
    late: tuple[PackedMessage, ...]

    @property
    def messages(self) -> tuple[tuple[Message, PackedMessage], ...]:
        """The messages in the order in which they are written."""
        late = tuple((LATE, message) for message in self.late)
        return (*late, (EPOCH, self.epoch), (WRITES, self.writes), (ACCESSES, self.accesses))

    def without_past(self, start_t: int) -> dict[str, AnyArray] | None:
        """Return the ``epoch`` columns with no t before ``start_t``, None when there is none anyway."""
        columns = {column.name: self.epoch.column(column.name) for column in EPOCH.columns}
        found = False
        for name in ("last.t", "trap.last"):
            early = columns[name] < np.uint64(start_t)
            found |= bool(early.any())
            columns[name] = np.where(early, np.uint64(NEVER), columns[name]).astype("<u8")
        return columns if found else None


def count_epochs(file: TraceFile) -> int:
    """Return how many epochs a file has whose three messages are all there."""
    return min(file.count(message.topic) for message in (EPOCH, WRITES, ACCESSES))


def read_epoch(file: TraceFile, index: int) -> StoredEpoch:
    """Return an epoch, all of it checked; TraceFormatError when a part is damaged."""
    epoch, writes, accesses = (file.fetch(message.topic, index) for message in (EPOCH, WRITES, ACCESSES))
    first_t = int(file.times(EPOCH.topic)[index])
    bounds = epoch.column("bounds")
    if len(bounds) != 2 or bounds[0] != first_t or bounds[1] < first_t:
        raise TraceFormatError(file.path, None, f"epoch {index} has no bounds")
    late = tuple(file.fetch(LATE.topic, int(row)) for row in _rows_at(file, LATE, first_t))
    for message in (epoch, writes, accesses, *late):
        check(message)
    return StoredEpoch(first_t, int(bounds[1]), epoch, writes, accesses, late)


def iter_blocks(file: TraceFile, end_t: int) -> Iterator[tuple[int, PackedMessage]]:
    """Yield log_time and message of each part of the block dictionary before ``end_t``, checked."""
    for index, time in enumerate(file.times(BLOCKS.topic).tolist()):
        if time < end_t:
            message = file.fetch(BLOCKS.topic, index)
            check(message)
            yield time, message


def check(message: PackedMessage) -> None:
    """Raise TraceFormatError unless every column can be unpacked."""
    for column in message.message.columns:
        message.column(column.name)


def _rows_at(file: TraceFile, message: Message, time: int) -> list[int]:
    rows: list[int] = np.flatnonzero(file.times(message.topic) == np.uint64(time)).tolist()
    return rows
