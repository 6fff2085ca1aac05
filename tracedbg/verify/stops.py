"""The stops of a capture: whether they fit the epochs, and what they bring to memory."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from tracedbg.format.columns import PackedMessage
from tracedbg.format.schema import STOPS, StopReason
from tracedbg.verify.guest import GuestFacts
from tracedbg.verify.memory import Memory
from tracedbg.verify.messages import AnyArray, Columns, Flags, Integers, Words, require
from tracedbg.verify.sweep import WordStates

_PRIVILEGES = 4


class Stops:
    """All ``stops`` messages of a capture; raises Malformed where their rows do not fit together."""

    def __init__(self, messages: Iterator[PackedMessage], guest: GuestFacts) -> None:
        parts = [Columns(message) for message in messages]
        self._column = {column.name: _joined(parts, column.name) for column in STOPS.columns}
        for prefix, names in _TABLES.items():
            lengths = {len(self._column[f"{prefix}.{name}"]) for name in names}
            require(len(lengths) == 1, f"the columns {prefix} of the stops have unequal lengths")
            t = self._column[f"{prefix}.t"]
            require(bool((t[1:] >= t[:-1]).all()), f"column {prefix}.t of the stops does not ascend")
        for table in ("stop", "place"):
            harts = self._column[f"{table}.hart"]
            require(not (harts >= guest.harts).any(), f"column {table}.hart names one that the guest lacks")
        reasons = self._column["stop.reason"]
        require(not (reasons >= len(StopReason)).any(), "a stop has no known reason")
        require(not (self._column["place.privilege"] >= _PRIVILEGES).any(), "a place has no known privilege")
        self._check_samples()

    def _check_samples(self) -> None:
        size, start = self._column["sample.size"], self._column["sample.physical"]
        require(not ((size | start) & np.uint64(7)).any(), "a sample is not of whole words")
        require(not (start + size < start).any(), "a sample goes beyond the last address")
        given = len(self._column["sample.bytes"])
        require(int(size.sum(dtype=np.int64)) == given, f"the samples have {given} bytes")
        self._ends = np.cumsum(size, dtype=np.int64)

    def check_times(self, edges: Integers, end: int) -> None:
        """Raise Malformed unless gaps and samples are at ``edges`` of epochs, and all t within the trace."""
        for table in ("gap", "sample"):
            inside = np.isin(self._column[f"{table}.t"].astype(np.int64), edges)
            require(bool(inside.all()), f"a {table} is not where an epoch begins or ends")
        for table in _TABLES:
            t = self._column[f"{table}.t"]
            require(not (t > np.uint64(end)).any(), f"a {table} lies beyond the trace's end")

    def has_gap(self, t: int) -> bool:
        """Say whether the guest ran unseen before ``t``."""
        return bool(np.isin(t, self._column["gap.t"]))

    def places(self, first: int, length: int) -> tuple[Integers, AnyArray, Words]:
        """Return t from ``first`` on, hart and pc of the places of an epoch."""
        t = self._column["place.t"].astype(np.int64) - first
        inside = (t >= 0) & (t < length)
        return t[inside], self._column["place.hart"][inside], self._column["place.pc"][inside]

    def apply(self, t: int, memory: Memory) -> int:
        """Bring to memory what was read at ``t``; return how many words were known to hold something else."""
        differing = 0
        for row in np.flatnonzero(self._column["sample.t"] == np.uint64(t)).tolist():
            stop = int(self._ends[row])
            content = self._column["sample.bytes"][stop - int(self._column["sample.size"][row]) : stop]
            words = np.ascontiguousarray(content).view(np.uint64)
            first = self._column["sample.physical"][row] >> np.uint64(3)
            places = first + np.arange(len(words), dtype=np.uint64)
            before = memory.states(places)
            whole: Flags = before.known == 255
            differing += int(np.count_nonzero(whole & (before.content != words)))
            every = np.full(len(words), 255, np.uint8)
            memory.write(places, WordStates(words, every, every))
        return differing


_TABLES = {
    "gap": ("t",),
    "stop": ("t", "hart", "reason", "address"),
    "place": ("t", "hart", "pc", "privilege"),
    "sample": ("t", "physical", "size"),
}


def _joined(parts: list[Columns], name: str) -> Any:  # noqa: ANN401 - of the column's dtype
    dtype = next(column.dtype for column in STOPS.columns if column.name == name)
    return np.concatenate([np.empty(0, dtype), *(part[name] for part in parts)])
