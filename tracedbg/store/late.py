"""What became known of instructions after their epoch was written."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracedbg.format.schema import LATE
from tracedbg.store.source import Flags, Integers, Numbers, Source

LATE_LIMIT = 1 << 24


@dataclass(frozen=True)
class LateRows:
    """One row for an instruction, by absolute ``t``, ascending: ``kind`` (LateKind) and ``value``."""

    t: Numbers
    kind: Numbers
    value: Numbers

    def find(self, times: Numbers) -> tuple[Flags, Integers]:
        """Return for absolute ``times`` whether there is a row, and its index where there is."""
        places = np.searchsorted(self.t, times)
        inside = np.minimum(places, max(len(self.t) - 1, 0))
        found = (self.t[inside] == times) if len(self.t) else np.zeros(len(times), np.bool_)
        return found, inside


class LateStore:
    """All late rows of a trace, read at once when one is asked for first; there are few."""

    def __init__(self, source: Source) -> None:
        self._source = source

    @cached_property
    def rows(self) -> LateRows:
        """The late rows of all messages, merged."""
        file = self._source.file
        parts = []
        total = 0
        for index in range(file.count(LATE.topic)):
            message = file.fetch(LATE.topic, index)
            total += message.rows("t")
            self._source.require(total <= LATE_LIMIT, "there are too many late rows")
            if message.rows("t"):
                parts.append([message.column(name) for name in ("t", "kind", "value")])
                lengths = {len(part) for part in parts[-1]}
                self._source.require(len(lengths) == 1, "late rows contradict themselves")
        if not parts:
            return LateRows(np.empty(0, np.uint64), np.empty(0, np.uint8), np.empty(0, np.uint64))
        t, kind, value = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        # Of several rows for one instruction the last that was written counts.
        order = np.argsort(t, kind="stable")
        last = np.append(t[order][1:] != t[order][:-1], True)
        return LateRows(t[order][last], kind[order][last], value[order][last])
