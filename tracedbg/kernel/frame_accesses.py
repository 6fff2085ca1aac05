"""Every access to a range of physical memory, with the stack that its hart had in use."""

from dataclasses import dataclass

import numpy as np

from tracedbg.ids import Time
from tracedbg.kernel.contexts import NO_CONTEXT
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stack_accesses import StackAccesses, StintsUsed, stack_accesses
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Kind, iter_accesses
from tracedbg.query.accesses import Range
from tracedbg.query.rows import ACCESS, Rows, join
from tracedbg.store.source import Flags, Integers, Numbers

ACCESSES_OF_ONE = 4
"""Accesses of one instruction that are told apart by their address."""


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
    table, start = index.trace.epoch(number).accesses, int(index.trace.epoch_starts[number])
    places = np.searchsorted(table.t, (rows["t"] - np.uint64(start)).astype(table.t.dtype))
    # Several accesses of one instruction have its context; whether they lie in the stack goes by address.
    last = max(len(table.t) - 1, 0)
    candidates = np.minimum(places + np.arange(ACCESSES_OF_ONE)[:, None], last)
    wanted, where = np.unique(candidates, return_inverse=True)
    found = _stack_accesses(index, history, number, wanted)
    where = where.reshape(candidates.shape)
    change = rows["kind"] == Kind.CHANGE
    context, in_stack = found.context[where[0]], found.in_stack[where[0]]
    for later, own in zip(candidates[1:], where[1:], strict=True):
        exact = (table.t[later] == table.t[candidates[0]]) & (table.virtual[later] == rows["virtual"])
        in_stack = np.where(exact, found.in_stack[own], in_stack)
    return FrameAccesses(
        rows=rows,
        context=np.where(change, NO_CONTEXT, context),
        in_stack=in_stack & ~change,
        privilege=np.where(change, 0xFF, found.privilege[where[0]]).astype(np.uint8),
    )


def _stack_accesses(index: TraceIndex, history: StackHistory, number: int, chosen: Integers) -> StackAccesses:
    """Return how some of the accesses of an epoch lie to the stacks in use."""
    epoch = index.trace.epoch(number)
    low, high = history.bounds(number)
    contexts = history.context_of[low:high]
    tops = np.append(history.tops, np.uint64(0))[contexts]
    return stack_accesses(index, epoch, StintsUsed(history.stints[low:high], contexts, tops), chosen)
