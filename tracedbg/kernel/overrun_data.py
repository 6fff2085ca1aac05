"""Data that a stack ran down over, and that was then read as data again.

A closer look at the misreads of kernel.data_under_stacks. Memory may change hands any number of times, so one
convicts only if the place was read as data while the stack was in use, outside its live frames: before it was
stored over, or afterwards. And only if the instruction that reads there does not load neighbours as well, as
those do that look how much of a stack was used, copy it, or dump it. Where the base is known, what lies above
is the stack's own.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stack_uses import StackUses
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Access, Kind, accesses, last_write, own_after, own_back
from tracedbg.query.accesses import Range
from tracedbg.state import Trace

NEAR = 2048
"""Instructions before and after a load in which others of its instruction are looked for."""
IN_A_ROW = 128
"""Bytes between neighbours: an unrolled copy moves as much in a turn, in sixteen registers of 8 bytes."""


@dataclass(frozen=True)
class OverrunData:
    """``load`` brought what ``context`` had left at ``store`` in its stack, where ``read`` had found data."""

    context: Context
    read: Access
    store: Access
    load: Access


class OverrunDatas:
    """Answers from the history of a trace; immutable. ``stack_of`` gives the stack of a context."""

    def __init__(
        self, trace: Trace, index: TraceIndex, history: StackHistory, stack_of: Callable[[int], Stack | None]
    ) -> None:
        self._trace = trace
        self._index = index
        self._history = history
        self._stack_of = stack_of
        self._uses: dict[int, StackUses] = {}

    @cached_property
    def all(self) -> tuple[OverrunData, ...]:
        """Every one that is proved, in order of the load's t."""
        return tuple(self._iter())

    def _iter(self) -> Iterator[OverrunData]:
        for row in self._history.misreads:
            found = self._judge(row)
            if found is not None:
                yield found

    def _judge(self, row: np.void) -> OverrunData | None:
        context = self._history.contexts[int(row["writer_context"])]
        stack = self._stack_of(context.number)
        if stack is None:
            return None
        since, until = self._uses_of(stack).owned(context)
        if row["read_t"] < since and row["t"] >= until:
            return None
        where = (PhysicalAddress(int(row["physical"])), int(row["size"]))
        load = self._at(where, int(row["t"]), Kind.LOAD)
        read = self._at(where, int(row["read_t"]), Kind.LOAD)
        store = last_write(self._trace.store, where, Time(int(row["t"])))
        if load is None or read is None or store is None or store.virtual is None:
            return None
        if store.t != row["writer_t"]:
            # Something else wrote these bytes since, a device for one.
            return None
        place = VirtualAddress(store.virtual + load.physical - store.physical)
        if stack.base is not None and place >= stack.base:
            return None
        was_read = since <= read.t and not self._is_live(stack, place, read.t)
        is_read = load.t < until and not self._is_live(stack, place, load.t)
        if not (was_read or is_read) or any(self._looks_over(stack, place, one) for one in (load, read)):
            return None
        return OverrunData(context, read, store, load) if self._is_changed(where, store) else None

    def _uses_of(self, stack: Stack) -> StackUses:
        if stack.number not in self._uses:
            contexts = (self._history.contexts[number] for number in stack.contexts)
            self._uses[stack.number] = StackUses(contexts)
        return self._uses[stack.number]

    def _is_live(self, stack: Stack, place: VirtualAddress, t: Time) -> bool:
        """Say whether an address lies in live frames of a stack, or may lie there."""
        for context in self._uses_of(stack).needing(place, t):
            freeze = context.frozen_at(t)
            sp = self._pointer(context, t) if freeze is None else freeze.sp
            if sp is None or place >= sp:
                return True
        return False

    def _pointer(self, context: Context, t: Time) -> int | None:
        """Return where a context's stack pointer is, or was when it was left to return to user mode.

        None where that is not known.
        """
        stints, track = self._history.stints, self._index.track(self._index.sp_name)
        low, high = np.searchsorted(stints["t"], [context.start, t + 1]).tolist()
        own = np.flatnonzero(self._history.context_of[low:high] == context.number)
        if not len(own) or track is None:
            return None
        stint = stints[low + int(own[-1])]
        if t < stint["stop"]:
            return track.value_at(Hart(int(stint["hart"])), t)
        return int(stint["last"]) if stint["known"] else None

    def _looks_over(self, stack: Stack, place: VirtualAddress, load: Access) -> bool:
        """Say whether an instruction loads neighbours in what the stack used, shortly before or after.

        Those beside ``place``, which it loads itself, or below: a search for the lowest word in use need not
        go word by word, but does so where it ends.
        """
        store = self._index.trace
        epoch = store.epoch(store.epoch_of(load.t))
        table, blocks = epoch.accesses, epoch.blocks
        middle, hart = int(np.searchsorted(table.t, load.t - epoch.start)), Hart(load.hart or 0)
        window = np.array([own_back(store, hart, load.t, NEAR), own_after(store, hart, load.t, NEAR)])
        rows = np.arange(*np.searchsorted(table.t.astype(np.int64), window - epoch.start))
        times = table.t[rows].astype(np.int64)
        runs = np.searchsorted(epoch.run_start, times, "right") - 1
        block = epoch.run_block[runs]
        first = blocks.first[block]
        pc = blocks.virtual[block] + (blocks.byte[first + times - epoch.run_start[runs]] - blocks.byte[first])
        own = (pc == pc[middle - rows[0]]) & (epoch.hart_of_runs(runs) == hart)
        apart = np.unique((table.virtual[rows[own]] - table.virtual[middle]).view(np.int64))
        apart = apart[(apart >= stack.low - place - IN_A_ROW) & (apart <= IN_A_ROW)]
        return bool(np.any(np.diff(apart) <= IN_A_ROW))

    def _is_changed(self, where: Range, store: Access) -> bool:
        memory = [self._trace.at(t).memory for t in (store.t, Time(store.t + 1))]
        before, after = (part.read_physical(*where) for part in memory)
        return before.is_complete and before.data != after.data

    def _at(self, where: Range, t: int, kind: Kind) -> Access | None:
        rows = accesses(self._trace.store, where, between=(Time(t), Time(t + 1)), kind=kind)
        return Access.of(rows[-1]) if len(rows) else None
