"""Loads, stores and other changes of memory of one epoch."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import (
    ACCESS_KIND_MASK,
    ACCESS_KIND_SHIFT,
    ACCESS_SIZE_MASK,
    ACCESS_STORE,
    ACCESSES,
    NEVER,
    PAGE_SIZE,
    AccessKind,
)
from tracedbg.store.source import (
    Flags,
    Integers,
    Numbers,
    Source,
    is_ascending,
    is_below,
    is_strictly_ascending,
)

SIZE_LIMIT = 3
"""log2 of the largest access in one row."""


@dataclass(frozen=True)
class ChangeRows:
    """Changes of memory by anything but a store; from offset ``t`` on the bytes are known to hold."""

    t: Numbers
    since: Numbers
    physical: Numbers
    value: Numbers
    cause: Numbers


class AccessTable:
    """The ``accesses`` message of an epoch; rows in order of t, columns of equal length.

    ``t`` counts from the epoch's start. Decoded when asked for and kept in the trace's cache.
    """

    def __init__(self, source: Source, index: int, length: int) -> None:
        self._source = source
        self._index = index
        self._length = length

    def __len__(self) -> int:
        return self._source.rows(ACCESSES.topic, self._index, "t")

    def _column(self, name: str) -> NDArray[Any]:
        return self._source.column(ACCESSES.topic, self._index, name)

    def _require(self, condition: bool | np.bool_, what: str) -> None:
        self._source.require(condition, f"accesses of epoch {self._index} contradict themselves in {what}")

    def _rows(self, name: str) -> NDArray[Any]:
        column = self._column(name)
        self._require(len(column) == len(self), name)
        return column

    @property
    def t(self) -> Numbers:
        """The instruction that made each access."""
        return self._source.cache.get(("access t", self._index), self._make_t)

    def _make_t(self) -> Numbers:
        times = self._rows("t")
        self._require(is_ascending(times) and is_below(times, self._length), "t")
        return times

    @property
    def flags(self) -> Numbers:
        """The ACCESS_ flags of each access."""
        return self._rows("flags")

    @property
    def virtual(self) -> Numbers:
        """The virtual address of each access."""
        return self._rows("virtual")

    @property
    def value(self) -> Numbers:
        """The value loaded or stored, zero-extended."""
        return self._rows("value")

    @property
    def size(self) -> Numbers:
        """The size of each access in bytes, 1 to 8."""
        return self._source.cache.get(("access size", self._index), self._make_size)

    def _make_size(self) -> Numbers:
        size: Numbers = self.flags & ACCESS_SIZE_MASK
        self._require(is_below(size, SIZE_LIMIT + 1), "flags")
        sizes: Numbers = np.left_shift(np.uint8(1), size)
        return sizes

    @property
    def is_store(self) -> Flags:
        """Whether each access is a store."""
        stores: Flags = (self.flags & ACCESS_STORE) != 0
        return stores

    def tells(self, rows: Integers, *, loads: bool = False) -> Flags:
        """Return which of some accesses tell what memory holds from then on.

        A store to RAM does, and a load from other memory: boot ROM and flash do not take stores as RAM does.
        ``loads`` from RAM do where it is not known from the start.
        """
        flags = self.flags[rows]
        kind, stores = flags & ACCESS_KIND_MASK, (flags & ACCESS_STORE) != 0
        ram, other = (value << ACCESS_KIND_SHIFT for value in (AccessKind.RAM, AccessKind.OTHER_MEMORY))
        told: Flags = ((stores | loads) & (kind == ram)) | (~stores & (kind == other))
        return told

    @property
    def physical(self) -> Numbers:
        """The physical address of each access's first byte."""
        return self._source.cache.get(("access physical", self._index), self._make_physical)

    def _make_physical(self) -> Numbers:
        rows, deltas = self._column("mapping.access"), self._column("mapping.delta")
        count = len(self)
        self._require(len(rows) == len(deltas), "mapping")
        self._require(is_strictly_ascending(rows) and is_below(rows, count), "mapping.access")
        edges = np.concatenate([[0], rows, [count]]).astype(np.int64)
        # Before the first row the difference is 0.
        physical: Numbers = self.virtual + np.repeat(np.append(np.uint64(0), deltas), np.diff(edges))
        return physical

    def loaded_values(self, times: Integers) -> tuple[Numbers, Flags]:
        """Return what the instruction at each offset loaded with its first access, and whether it did."""
        t = self.t
        places = np.minimum(np.searchsorted(t, times), max(len(t) - 1, 0))
        if not len(times) or not len(t):
            return np.zeros(len(times), np.uint64), np.zeros(len(times), np.bool_)
        low, high = int(places.min()), int(places.max()) + 1
        values = self._source.message(ACCESSES.topic, self._index).slice("value", low, high)
        return values[places - low], (t[places] == times) & ~self.is_store[places]

    @property
    def crossings(self) -> tuple[Numbers, Numbers]:
        """Index of each access that crosses into another page, and where its first byte there lies."""
        rows, physical = self._column("crossing.access"), self._column("crossing.physical")
        self._require(len(rows) == len(physical), "crossing")
        self._require(is_strictly_ascending(rows) and is_below(rows, len(self)), "crossing.access")
        return rows, physical

    def second(self, rows: Integers) -> Numbers:
        """Return the physical address of some accesses' first byte in the second page; NEVER for none."""
        second = np.full(len(rows), NEVER, np.uint64)
        crossing, physical = self.crossings
        if len(crossing):
            place = np.minimum(np.searchsorted(crossing, rows), len(crossing) - 1)
            found = crossing[place] == rows
            second[found] = physical[place[found]]
        return second

    @property
    def changes(self) -> ChangeRows:
        """Changes in order of t."""
        names = ("t", "since", "physical", "value", "cause")
        columns = [self._column(f"change.{name}") for name in names]
        self._require(len({len(column) for column in columns}) == 1, "change")
        rows = ChangeRows(*columns)
        self._require(is_ascending(rows.t) and is_below(rows.t, self._length + 1), "change.t")
        return rows

    def touching(self, start: int, stop: int) -> Integers:
        """Return the indices of the accesses with a byte in physical addresses start to stop."""
        low = np.uint64(max(start - 7, 0))
        # Modulo 2**64, so that one comparison finds what may touch the range.
        near: Integers = np.flatnonzero(self.physical - low < np.uint64(min(stop, NEVER)) - low)
        room = PAGE_SIZE - (self.physical[near] & np.uint64(PAGE_SIZE - 1))
        first = np.minimum(self.size[near], room)
        near = near[self.physical[near] + first > np.uint64(start)]
        crossing, elsewhere = self.crossings
        if not len(crossing):
            return near
        rest = self.size[crossing] - (PAGE_SIZE - (self.physical[crossing] & np.uint64(PAGE_SIZE - 1)))
        below = elsewhere < np.uint64(min(stop, NEVER))
        over = crossing[below & (elsewhere + rest > np.uint64(start))]
        both: Integers = np.union1d(near, over.astype(np.int64))
        return both

    def changes_touching(self, start: int, stop: int) -> Integers:
        """Return the indices of the changes with a byte in physical addresses start to stop."""
        physical = self.changes.physical
        below = physical < np.uint64(min(stop, NEVER))
        return np.flatnonzero(below & (physical + np.uint64(8) > np.uint64(start)))
