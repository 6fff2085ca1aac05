"""What a hart came to after something that it may never have got over."""

from functools import cached_property

import numpy as np

from tracedbg.disasm import Flow
from tracedbg.ids import Hart, Time
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.trace_index import TraceIndex, has_flow
from tracedbg.query import iter_own, own_after, own_back
from tracedbg.store.source import Flags, Integers

ENTRY = 96
"""Instructions in which a handler may change to a stack of its own."""


class OtherWork:
    """Answers from the history of a trace; immutable."""

    def __init__(self, index: TraceIndex, history: StackHistory) -> None:
        self._index = index
        self._history = history

    def after(self, hart: Hart, t: Time, privilege: int, own: Context | None) -> Time | None:
        """Return when a hart came to user mode or to an older context after ``t``, None for never.

        ``own`` is the context that it is about, and does not count; nor do those that the hart takes for it
        at once, nor those of firmware above ``privilege``.
        """
        stints, contexts = self._history.stints, self._history.context_of
        start = int(np.searchsorted(stints["t"], t, "left"))
        rows = start + np.flatnonzero(stints["hart"][start:] == hart)
        entered = rows[stints["t"][rows] < own_after(self._index.trace, hart, t, ENTRY)]
        handlers = {int(number) for number in contexts[entered]}
        if own is not None:
            handlers.add(own.number)
        rows = rows[(stints["t"][rows] > t) & (stints["privilege"][rows] <= privilege)]
        other = (stints["privilege"][rows] == 0) | self._is_older(contexts[rows], t, handlers)
        places = np.flatnonzero(other)
        return Time(int(stints["t"][rows[places[0]]])) if len(places) else None

    def _is_older(self, numbers: Integers, t: Time, handlers: set[int]) -> Flags:
        """Return which contexts had begun before ``t``, but for those that handle what happened then."""
        starts = np.append(self._starts, np.iinfo(np.int64).max)
        old: Flags = (starts[numbers] < t) & ~np.isin(numbers, list(handlers))
        return old

    @cached_property
    def _starts(self) -> Integers:
        return np.array([context.start for context in self._history.contexts], np.int64)

    def last_call(self, hart: Hart, t: Time, limit: int) -> Time | None:
        """Return the moment of a hart's last call in its last ``limit`` instructions before ``t``."""
        store = self._index.trace
        for epoch, rows in reversed(list(iter_own(store, hart, own_back(store, hart, t, limit), t))):
            blocks = epoch.run_block[rows.run]
            is_end = epoch.blocks.first[blocks + 1] - 1 == rows.instruction
            places = np.flatnonzero(is_end & has_flow(self._index.block_flow[blocks], Flow.CALL))
            if len(places):
                return Time(int(epoch.start + rows.t[places[-1]]))
        return None
