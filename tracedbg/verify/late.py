"""What became known of instructions after their epoch was written."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tracedbg.format.columns import PackedMessage
from tracedbg.format.schema import LateKind
from tracedbg.verify.messages import Bytes, Columns, Integers, Words


@dataclass(frozen=True)
class Settled:
    """How open instructions of an epoch came out: offset of t, LateKind and value of each."""

    row: Integers
    kind: Bytes
    value: Words

    def of(self, kind: LateKind) -> Integers:
        """Return the instructions that came out in one way."""
        rows: Integers = self.row[self.kind == kind]
        return rows


class Late:
    """All ``late`` messages of a trace."""

    def __init__(self, messages: Iterable[PackedMessage]) -> None:
        """Take in all messages; raises Malformed."""
        parts = [Columns(message) for message in messages]
        for columns in parts:
            columns.require_equal("t", "kind", "value")
            columns.require_below("kind", len(LateKind))
        t = np.concatenate([np.empty(0, np.uint64), *(columns["t"] for columns in parts)])
        order = np.argsort(t, kind="stable")
        self._t = t[order]
        self._kind = np.concatenate([np.empty(0, np.uint8), *(columns["kind"] for columns in parts)])[order]
        self._value = np.concatenate([np.empty(0, np.uint64), *(c["value"] for c in parts)])[order]

    def settled(self, first: int, opened: Integers) -> Settled:
        """Return what is known of an epoch's open instructions; of several rows for one the last counts."""
        times = opened.astype(np.uint64) + np.uint64(first)
        found = np.searchsorted(self._t, times, "right") - 1
        there = found >= 0
        there[there] = self._t[found[there]] == times[there]
        rows = found[there]
        return Settled(opened[there], self._kind[rows], self._value[rows])
