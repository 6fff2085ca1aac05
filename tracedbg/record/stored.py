"""Epochs as a file holds them, read back to be copied into another trace as they are packed."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracedbg.errors import TraceFormatError
from tracedbg.format.columns import AnyArray, PackedMessage
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import (
    ACCESS_SIZE_MASK,
    ACCESSES,
    BLOCKS,
    EPOCH,
    LATE,
    NEVER,
    PAGE_SIZE,
    WRITES,
    Message,
)
from tracedbg.record.console import physical_addresses
from tracedbg.store.guest import GuestError, parse_guest

_LARGEST = 3
"""log2 of the size of the largest access."""


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


def guest_of(file: TraceFile) -> dict[str, Any]:
    """Return the ``guest`` record; TraceFormatError when there is none, or it does not say what it should."""
    guest = file.metadata("guest")
    if guest is None:
        raise TraceFormatError(file.path, None, "holds no description of the guest: nothing can be saved")
    try:
        parse_guest(guest)
    except GuestError as error:
        raise TraceFormatError(file.path, None, f"metadata guest: {error}") from error
    return guest


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
    for message in (epoch, writes, *late):
        check(message)
    if not _is_consistent(accesses):
        raise TraceFormatError(file.path, None, f"accesses of epoch {index} contradict themselves")
    return StoredEpoch(first_t, int(bounds[1]), epoch, writes, accesses, late)


def iter_blocks(
    file: TraceFile, start_t: int, end_t: int
) -> Iterator[tuple[int, PackedMessage, dict[str, AnyArray]]]:
    """Yield log_time, message and columns of the parts of the block dictionary between two t."""
    for index, time in enumerate(file.times(BLOCKS.topic).tolist()):
        if start_t <= time < end_t:
            message = file.fetch(BLOCKS.topic, index)
            columns = {column.name: message.column(column.name) for column in BLOCKS.columns}
            if len(columns["insn.source"]) != columns["instructions"].sum(dtype=np.int64):
                raise TraceFormatError(file.path, None, f"block message {index} contradicts itself")
            yield time, message, columns


def check(message: PackedMessage) -> None:
    """Raise TraceFormatError unless every column can be unpacked."""
    for column in message.message.columns:
        message.column(column.name)


def _is_consistent(accesses: PackedMessage) -> bool:
    """Say whether the library that folds accesses can rely on these."""
    column = {column.name: accesses.column(column.name) for column in ACCESSES.columns}
    groups = (
        ("t", "flags", "virtual", "value"),
        ("mapping.access", "mapping.delta"),
        ("crossing.access", "crossing.physical"),
        ("change.t", "change.since", "change.physical", "change.value", "change.cause"),
    )
    count, rows = len(column["t"]), column["crossing.access"]
    if any(len({len(column[name]) for name in group}) != 1 for group in groups):
        return False
    if (column["flags"] & ACCESS_SIZE_MASK > _LARGEST).any() or (column["change.physical"] % 8).any():
        return False
    if len(rows) and (int(rows.max()) >= count or (rows[1:] <= rows[:-1]).any()):
        return False
    # The part in the first page is less than the access.
    in_page = np.uint64(PAGE_SIZE) - physical_addresses(column, rows) % np.uint64(PAGE_SIZE)
    return not (in_page >= np.uint64(1) << (column["flags"][rows] & ACCESS_SIZE_MASK)).any()


def _rows_at(file: TraceFile, message: Message, time: int) -> list[int]:
    rows: list[int] = np.flatnonzero(file.times(message.topic) == np.uint64(time)).tolist()
    return rows
