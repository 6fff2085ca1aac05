"""What a capture tells of the moments at which the guest stood still: gaps, places and samples of memory."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import NEVER, STOPS
from tracedbg.ids import Time, VirtualAddress
from tracedbg.store.blocks import prefix_sum
from tracedbg.store.source import Flags, Integers, Numbers, Source, is_ascending


@dataclass(frozen=True)
class StopRows:
    """Stops in order of t: the hart that the stub named, a StopReason, and an address (NEVER for none)."""

    t: Numbers
    hart: Numbers
    reason: Numbers
    address: Numbers


@dataclass(frozen=True)
class PlaceRows:
    """Where harts stood, in order of t."""

    t: Numbers
    hart: Numbers
    pc: Numbers
    privilege: Numbers


@dataclass(frozen=True)
class Place:
    """A hart stands at ``pc`` from ``t`` on."""

    t: Time
    pc: VirtualAddress
    privilege: int


@dataclass(frozen=True)
class SampleRows:
    """Memory that was read, in order of t; the bytes are from ``offset`` on in message ``message``."""

    t: Numbers
    physical: Numbers
    size: Numbers
    message: Integers
    offset: Integers


class StopStore:
    """The ``stops`` messages of a trace; empty but for captures. All t are absolute."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._messages = source.file.count(STOPS.topic)

    def _column(self, name: str) -> NDArray[Any]:
        parts = [self._source.column(STOPS.topic, index, name) for index in range(self._messages)]
        dtype = next(column.dtype for column in STOPS.columns if column.name == name)
        return np.concatenate([np.empty(0, dtype), *parts])

    def _group(self, prefix: str, *names: str) -> list[NDArray[Any]]:
        columns = [self._column(f"{prefix}.{name}") for name in names]
        self._require(len({len(column) for column in columns}) == 1 and is_ascending(columns[0]), prefix)
        return columns

    def _require(self, condition: bool | np.bool_, what: str) -> None:
        self._source.require(condition, f"the stops contradict themselves in {what}")

    @cached_property
    def gaps(self) -> Numbers:
        """Moments before which the guest ran unseen."""
        return self._group("gap", "t")[0]

    @cached_property
    def stops(self) -> StopRows:
        """All stops."""
        return StopRows(*self._group("stop", "t", "hart", "reason", "address"))

    @cached_property
    def places(self) -> PlaceRows:
        """Where harts stood."""
        return PlaceRows(*self._group("place", "t", "hart", "pc", "privilege"))

    @cached_property
    def samples(self) -> SampleRows:
        """What memory was read."""
        t, physical, size = self._group("sample", "t", "physical", "size")
        rows = [self._source.rows(STOPS.topic, index, "sample.t") for index in range(self._messages)]
        message = np.repeat(np.arange(self._messages), rows)
        ends = prefix_sum(size)
        first = ends[np.searchsorted(message, np.arange(self._messages + 1))]
        held = [self._source.rows(STOPS.topic, index, "sample.bytes") for index in range(self._messages)]
        self._require(np.array_equal(np.diff(first), held), "sample.bytes")
        self._require(not np.any((physical | size) & 7), "sample.physical")
        self._require(not np.any(physical > np.uint64(NEVER) - size), "sample.physical")
        return SampleRows(t, physical, size, message, ends[:-1] - first[message])

    def sampled(self, row: int) -> NDArray[np.uint8]:
        """Return the bytes of a sample."""
        rows = self.samples
        start = int(rows.offset[row])
        message = self._source.message(STOPS.topic, int(rows.message[row]))
        return message.slice("sample.bytes", start, start + int(rows.size[row]))

    def floor(self, t: int) -> int:
        """Return the newest moment up to ``t`` before which the guest ran unseen; 0 for none."""
        row = int(np.searchsorted(self.gaps, np.uint64(t), "right"))
        return int(self.gaps[row - 1]) if row else 0

    def find_place(self, t: int, hart: int) -> Place | None:
        """Return where a hart was last seen standing, up to ``t`` and after the last gap."""
        rows = self.places
        low, high = np.searchsorted(rows.t, np.array([self.floor(t), t + 1], np.uint64))
        found: Flags = rows.hart[low:high] == hart
        if not found.any():
            return None
        row = int(low) + int(np.flatnonzero(found)[-1])
        return Place(Time(int(rows.t[row])), VirtualAddress(int(rows.pc[row])), int(rows.privilege[row]))
