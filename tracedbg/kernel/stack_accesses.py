"""Which loads and stores of an epoch go to the stack in use."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tracedbg.ids import Hart
from tracedbg.kernel.contexts import NO_CONTEXT
from tracedbg.kernel.pointer_history import pointer_history
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query.rows import Rows
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers, Numbers

STACK_LIMIT = 1 << 20
"""How far above the stack pointer an access to the stack in use may lie, in bytes."""


@dataclass(frozen=True)
class StackAccesses:
    """One row for each access that was sorted, in order of t.

    ``instruction`` is its instruction in the block table, ``privilege`` its own, ``context`` the context of
    its hart (NO_CONTEXT for none), and ``in_stack`` whether it lies in the stack in use: from the stack
    pointer up to its context's top.
    """

    instruction: Integers
    hart: Numbers
    privilege: Numbers
    context: Integers
    in_stack: Flags


class StintsUsed(NamedTuple):
    """The stints of an epoch, each with its context (NO_CONTEXT for none) and that one's top."""

    rows: Rows
    context: Integers
    top: Numbers


def stack_accesses(
    index: TraceIndex, epoch: EpochData, stints: StintsUsed, chosen: Integers | slice = slice(None)
) -> StackAccesses:
    """Sort the accesses of an epoch, or those at ``chosen`` places among them."""
    times, virtual = epoch.accesses.t[chosen].astype(np.int64), epoch.accesses.virtual[chosen]
    runs = np.searchsorted(epoch.run_start, times, "right") - 1
    block = epoch.run_block[runs]
    hart = epoch.hart_of_runs(runs)
    instruction = epoch.blocks.first[block] + times - epoch.run_start[runs]
    context, in_stack = np.full(len(times), NO_CONTEXT, np.int64), np.zeros(len(times), np.bool_)
    for number in range(index.trace.guest.harts):
        mine = np.flatnonzero(hart == number) if index.trace.guest.harts > 1 else slice(None)
        own = np.flatnonzero(stints.rows["hart"] == number)
        moments = times[mine] + epoch.start
        if not len(moments) or not len(own):
            continue
        places = own[np.maximum(np.searchsorted(stints.rows["t"][own], moments, "right") - 1, 0)]
        pointer, known = pointer_history(index, epoch, Hart(number)).at(moments)
        address = virtual[mine]
        context[mine] = stints.context[places]
        near = (address >= pointer) & (address - pointer < np.uint64(STACK_LIMIT))
        in_stack[mine] = near & known & (address < stints.top[places]) & (context[mine] != NO_CONTEXT)
    return StackAccesses(instruction, hart, epoch.blocks.privilege[block], context, in_stack)
