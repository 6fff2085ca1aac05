"""Every access to a range of physical memory, with the stack that its hart had in use."""

from dataclasses import dataclass

import numpy as np

from tracedbg.ids import Time
from tracedbg.kernel.contexts import NO_CONTEXT
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stack_accesses import StackAccesses, stack_accesses
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Kind, iter_accesses
from tracedbg.query.accesses import Range
from tracedbg.query.rows import ACCESS, Rows, join
from tracedbg.store.source import Flags, Integers, Numbers


@dataclass(frozen=True)
class FrameAccesses:
    """ACCESS rows in order of t; ``context`` and ``in_stack`` as in StackAccesses.

    Changes that no instruction made have the context NO_CONTEXT and privilege 0xff.
    """

    rows: Rows
    context: Integers
    in_stack: Flags
    privilege: Numbers

    def select(self, chosen: Flags | Integers) -> "FrameAccesses":
        """Return some of the accesses."""
        return FrameAccesses(
            self.rows[chosen], self.context[chosen], self.in_stack[chosen], self.privilege[chosen]
        )


def frame_accesses(
    index: TraceIndex, history: StackHistory, where: Range, between: tuple[Time, Time]
) -> FrameAccesses:
    """Return the accesses to a byte of ``where`` from the first moment up to the second."""
    parts = []
    for rows in iter_accesses(index.trace, where, between=between, kind=Kind.ANY):
        number = index.trace.epoch_of(Time(int(rows["t"][0])))
        parts.append(_classified(index, history, number, rows))
    return FrameAccesses(
        rows=join([part.rows for part in parts], ACCESS),
        context=np.concatenate([np.empty(0, np.int64), *(part.context for part in parts)]),
        in_stack=np.concatenate([np.empty(0, np.bool_), *(part.in_stack for part in parts)]),
        privilege=np.concatenate([np.empty(0, np.uint8), *(part.privilege for part in parts)]),
    )


def _classified(index: TraceIndex, history: StackHistory, number: int, rows: Rows) -> FrameAccesses:
    epoch = index.trace.epoch(number)
    found = epoch_stack_accesses(index, history, number)
    places = np.searchsorted(epoch.accesses.t, rows["t"].astype(np.int64) - epoch.start)
    # Several accesses of one instruction have its context; whether they lie in the stack goes by address.
    places = np.minimum(places, max(len(epoch.accesses.t) - 1, 0))
    change = rows["kind"] == Kind.CHANGE
    context, in_stack = found.context[places], found.in_stack[places]
    for step in range(1, 4):
        later = np.minimum(places + step, len(epoch.accesses.t) - 1)
        same = epoch.accesses.t[later] == epoch.accesses.t[places]
        exact = same & (epoch.accesses.virtual[later] == rows["virtual"])
        in_stack = np.where(exact, found.in_stack[later], in_stack)
    return FrameAccesses(
        rows=rows,
        context=np.where(change, NO_CONTEXT, context),
        in_stack=in_stack & ~change,
        privilege=np.where(change, 0xFF, found.privilege[places]).astype(np.uint8),
    )


def epoch_stack_accesses(index: TraceIndex, history: StackHistory, number: int) -> StackAccesses:
    """Return how the accesses of an epoch lie to the stacks in use."""
    epoch = index.trace.epoch(number)
    low, high = history.bounds(number)
    contexts = history.context_of[low:high]
    tops = np.append(history.tops, np.uint64(0))[contexts]
    return stack_accesses(index, epoch, history.stints[low:high], contexts, tops)
