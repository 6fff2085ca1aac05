"""What a capture tells of the moments at which the guest stood still: gaps, places and samples of memory."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import NEVER, STOPS
from tracedbg.ids import Time, VirtualAddress
from tracedbg.store.blocks import prefix_sum
from tracedbg.store.source import Numbers, Source, is_ascending

GAPS_NEAR = 64
"""Messages that are read one by one for the last gap; where none of them has one, all gaps are."""


@dataclass(frozen=True)
class StopRows:
    """Stops in order of t: the hart that the stub named, a StopReason, and an address (NEVER for none)."""

    t: Numbers
    hart: Numbers
    reason: Numbers
    address: Numbers


@dataclass(frozen=True)
class Place:
    """A hart stands at ``pc`` from ``t`` on."""

    t: Time
    pc: VirtualAddress
    privilege: int


@dataclass(frozen=True)
class Sample:
    """Memory that was read at moment ``t``: what lies from a physical address on."""

    t: Time
    physical: int
    content: NDArray[np.uint8]


class StopStore:
    """The ``stops`` messages of a trace; empty but for captures. All t are absolute.

    A moment is looked up in the few messages around it: a capture may have tens of thousands.
    """

    def __init__(self, source: Source) -> None:
        self._source = source
        self._messages = source.file.count(STOPS.topic)
        self._last_t = source.file.times(STOPS.topic)
        self._require(is_ascending(self._last_t), "their times")

    def _require(self, condition: bool | np.bool_, what: str) -> None:
        self._source.require(condition, f"the stops contradict themselves in {what}")

    def _whole(self, name: str) -> NDArray[Any]:
        parts = [self._source.column(STOPS.topic, index, name) for index in range(self._messages)]
        dtype = next(column.dtype for column in STOPS.columns if column.name == name)
        return np.concatenate([np.empty(0, dtype), *parts])

    @cached_property
    def gaps(self) -> Numbers:
        """Moments before which the guest ran unseen."""
        gaps = self._whole("gap.t")
        self._require(is_ascending(gaps), "gap")
        return gaps

    @cached_property
    def stops(self) -> StopRows:
        """All stops."""
        rows = StopRows(*(self._whole(f"stop.{name}") for name in ("t", "hart", "reason", "address")))
        lengths = {len(rows.t), len(rows.hart), len(rows.reason), len(rows.address)}
        self._require(len(lengths) == 1 and is_ascending(rows.t), "stop")
        return rows

    def _about(self, since: int, t: int) -> range:
        """Return the messages that may tell of moments from ``since`` to ``t``, in order."""
        first, last = np.searchsorted(self._last_t, np.array([since, t + 1], np.uint64))
        return range(int(first), min(int(last) + 1, self._messages))

    def _rows(self, message: int, prefix: str, *names: str) -> list[NDArray[Any]]:
        """Return columns of a message, the first of which is t."""
        columns = [self._source.column(STOPS.topic, message, f"{prefix}.{name}") for name in names]
        t, first, last = columns[0], self._last_t[max(message - 1, 0)], self._last_t[message]
        is_between = not len(t) or ((first <= t[0] or not message) and t[-1] <= last)
        is_even = len({len(column) for column in columns}) == 1
        self._require(is_even and is_ascending(t) and is_between, prefix)
        return columns

    def floor(self, t: int) -> int:
        """Return the newest moment up to ``t`` before which the guest ran unseen; 0 for none."""
        about = self._about(0, t)
        for message in reversed(about[-GAPS_NEAR:]):
            (gaps,) = self._rows(message, "gap", "t")
            row = int(np.searchsorted(gaps, np.uint64(t), "right"))
            if row:
                return int(gaps[row - 1])
        row = int(np.searchsorted(self.gaps, np.uint64(t), "right")) if len(about) > GAPS_NEAR else 0
        return int(self.gaps[row - 1]) if row else 0

    def find_place(self, t: int, hart: int) -> Place | None:
        """Return where a hart was last seen standing, up to ``t`` and after the last gap."""
        since = self.floor(t)
        for message in reversed(self._about(since, t)):
            times, harts, pc, privilege = self._rows(message, "place", "t", "hart", "pc", "privilege")
            found = np.flatnonzero((harts == hart) & (times >= since) & (times <= t))
            if len(found):
                row = int(found[-1])
                return Place(Time(int(times[row])), VirtualAddress(int(pc[row])), int(privilege[row]))
        return None

    def iter_samples(self, since: int, t: int, where: tuple[int, int]) -> Iterator[Sample]:
        """Yield what was read from ``since`` to ``t`` that touches physical addresses start to stop."""
        for message in self._about(since, t):
            times, physical, size = self._rows(message, "sample", "t", "physical", "size")
            ends = prefix_sum(size)
            held = self._source.rows(STOPS.topic, message, "sample.bytes")
            self._require(int(ends[-1]) == held, "sample.bytes")
            self._require(not np.any((physical | size) & 7), "sample.physical")
            self._require(not np.any(physical > np.uint64(NEVER) - size), "sample.physical")
            inside = (times >= since) & (times <= t)
            touching = (physical < np.uint64(where[1])) & (physical + size > np.uint64(where[0]))
            for row in np.flatnonzero(inside & touching).tolist():
                packed = self._source.message(STOPS.topic, message)
                content = packed.slice("sample.bytes", int(ends[row]), int(ends[row + 1]))
                yield Sample(Time(int(times[row])), int(physical[row]), content)
