"""What became of bytes that were stored over: who read them next, without anyone having put them right."""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import PhysicalAddress, Time
from tracedbg.kernel.frame_accesses import FrameAccesses
from tracedbg.query import Access, Kind
from tracedbg.query.rows import Rows
from tracedbg.store.source import Flags, Integers

CONSUMERS_SHOWN = 8


@dataclass(frozen=True)
class Consumption:
    """A load that brought bytes which an intruding store had left; ``first`` is the first such byte."""

    load: Access
    store: Access
    first: PhysicalAddress
    size: int


def consumptions(found: FrameAccesses, intruding: Flags, owners: Flags) -> list[Consumption]:
    """Return the loads among ``owners`` that bring what a store among ``intruding`` left, in order of t.

    Both say which of the accesses in ``found`` they are; any other store puts bytes right.
    """
    byte, row = _bytes_of(found.rows)
    loads = found.rows["kind"] == Kind.LOAD
    order = np.lexsort((row, byte))
    byte, row = byte[order], row[order]
    is_load = loads[row]
    position = np.where(is_load, -1, np.arange(len(row)))
    latest = np.maximum.accumulate(position) if len(position) else position
    same = (latest >= 0) & (byte[np.maximum(latest, 0)] == byte)
    writer = np.where(same, row[np.maximum(latest, 0)], -1)
    consumed = is_load & (writer >= 0) & owners[row] & intruding[np.maximum(writer, 0)]
    return _grouped(found.rows, row[consumed], writer[consumed], byte[consumed])


def _bytes_of(rows: Rows) -> tuple[Integers, Integers]:
    """Return each byte that each access touches, and the access's row."""
    size = rows["size"].astype(np.int64)
    row = np.repeat(np.arange(len(rows)), size)
    within = np.arange(len(row)) - np.repeat(np.cumsum(size) - size, size)
    start = rows["physical"].astype(np.int64)
    room = PAGE_SIZE - start % PAGE_SIZE
    over = within >= room[row]
    second = rows["second"].view(np.int64) if rows["second"].flags.c_contiguous else rows["second"]
    elsewhere = second.astype(np.int64)[row] + within - room[row]
    return np.where(over, elsewhere, start[row] + within), row


def _grouped(rows: Rows, loads: Integers, writers: Integers, places: Integers) -> list[Consumption]:
    found = []
    for load in np.unique(loads)[:CONSUMERS_SHOWN].tolist():
        own = loads == load
        first = int(np.argmin(places[own]))
        store = rows[int(writers[own][first])]
        found.append(
            Consumption(
                load=Access.of(rows[load]),
                store=Access.of(store),
                first=PhysicalAddress(int(places[own][first])),
                size=int(own.sum()),
            )
        )
    return sorted(found, key=lambda item: Time(item.load.t))
