"""Whether a use of a stack has popped what it had at an address."""

import numpy as np

from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.pointer_history import pointer_history
from tracedbg.kernel.stints import Begin
from tracedbg.kernel.trace_index import TraceIndex


class StackRises:
    """Answers from the history of a trace; immutable."""

    def __init__(self, index: TraceIndex, history: StackHistory) -> None:
        self._index = index
        self._history = history

    def was_above(self, context: Context, slot: VirtualAddress, start: Time, stop: Time) -> bool:
        """Say whether the context's stack pointer was above a slot after ``start`` and before ``stop``."""
        own = np.flatnonzero(self._history.context_of == context.number)
        rows = self._history.stints[own]
        rows = rows[(rows["stop"] > start) & (rows["t"] <= stop) & (rows["begin"] != Begin.TRAP)]
        inside = (rows["t"] > start) & (rows["stop"] <= stop)
        if np.any(rows["high"][inside] > np.uint64(slot)):
            return True
        return any(self._was_above_in(row, slot, start, stop) for row in rows[~inside])

    def _was_above_in(self, stint: np.void, slot: VirtualAddress, start: Time, stop: Time) -> bool:
        trace = self._index.trace
        epoch = trace.epoch(trace.epoch_of(Time(int(stint["t"]))))
        pointer = pointer_history(self._index, epoch, Hart(int(stint["hart"])))
        first, last = max(int(stint["t"]), start), min(int(stint["stop"]), stop)
        within = (pointer.t > first) & (pointer.t < last)
        return bool(np.any(pointer.value[within] > np.uint64(slot)))
