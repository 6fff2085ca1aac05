"""Data that a stack ran down over, and that was then read as data again.

A closer look at the misreads of kernel.data_under_stacks. Memory may change hands any number of times, so one
convicts only if the place was read as data while the stack was in use, outside its live frames: before it was
stored over, or afterwards. And only if the instruction that reads there does not run over memory in a row, as
those do that look how much of a stack was used, copy it, or dump it.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.frame_accesses import frame_accesses
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Access, Kind
from tracedbg.query.accesses import Range
from tracedbg.state import Trace

NEAR = 512
"""Accesses before and after a load in which others of its instruction are looked for."""
IN_A_ROW = 128
"""Bytes from one load to the next one of an instruction that runs over memory in a row, at most."""


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
        where = (PhysicalAddress(int(row["physical"])), int(row["size"]))
        load = self._at(where, int(row["t"]), Kind.LOAD)
        read = self._at(where, int(row["read_t"]), Kind.LOAD)
        store = self._at(where, int(row["writer_t"]), Kind.STORE)
        if load is None or read is None or store is None or store.virtual is None:
            return None
        place = VirtualAddress(store.virtual + load.physical - store.physical)
        since, until = self._in_use(stack, context)
        was_read = since <= read.t and not self._is_live(stack, place, read.t)
        is_read = load.t < until and not self._is_live(stack, place, load.t)
        if not (was_read or is_read) or self._runs_in_a_row(load) or self._runs_in_a_row(read):
            return None
        return OverrunData(context, read, store, load) if self._is_changed(where, store) else None

    def _in_use(self, stack: Stack, context: Context) -> tuple[int, int]:
        """Return from when to when a stack is known to belong to whoever uses it as ``context``.

        A switch to the top of a stack may begin it for somebody new; a trap from user mode does not.
        """
        uses = sorted((self._history.contexts[number] for number in stack.contexts), key=_start)
        first = last = uses.index(context)
        while first and uses[first].from_user:
            first -= 1
        while last + 1 < len(uses) and uses[last + 1].from_user:
            last += 1
        return uses[first].start, max(use.last_t for use in uses[first : last + 1])

    def _is_live(self, stack: Stack, place: VirtualAddress, t: Time) -> bool:
        """Say whether an address lies in live frames of a stack."""
        for number in stack.contexts:
            context = self._history.contexts[number]
            if context.start <= t < context.last_t and place < context.top:
                freeze = context.frozen_at(t)
                sp = self._pointer(context, t) if freeze is None else freeze.sp
                if sp is None or place >= sp:
                    return True
        return False

    def _pointer(self, context: Context, t: Time) -> int | None:
        """Return the stack pointer of a context that runs; of one that does not, its top."""
        track = self._index.track(self._index.sp_name)
        for hart in range(self._index.trace.guest.harts):
            found = self._history.context_at(Hart(hart), t)
            if found is not None and found.number == context.number and track is not None:
                return track.value_at(Hart(hart), t)
        return context.top

    def _runs_in_a_row(self, load: Access) -> bool:
        """Say whether an instruction also loads what lies right beside, shortly before or after."""
        store = self._index.trace
        epoch = store.epoch(store.epoch_of(load.t))
        table, blocks = epoch.accesses, epoch.blocks
        middle = int(np.searchsorted(table.t, load.t - epoch.start))
        rows = np.arange(max(middle - NEAR, 0), min(middle + NEAR, len(table.t)))
        times = table.t[rows].astype(np.int64)
        runs = np.searchsorted(epoch.run_start, times, "right") - 1
        block = epoch.run_block[runs]
        first = blocks.first[block]
        pc = blocks.virtual[block] + (blocks.byte[first + times - epoch.run_start[runs]] - blocks.byte[first])
        own = np.flatnonzero(rows == middle)[0]
        apart = np.abs(table.virtual[rows].view(np.int64) - int(table.virtual[middle].view(np.int64)))
        return bool(np.any((pc == pc[own]) & (apart > 0) & (apart <= IN_A_ROW)))

    def _is_changed(self, where: Range, store: Access) -> bool:
        memory = [self._trace.at(t).memory for t in (store.t, Time(store.t + 1))]
        before, after = (part.read_physical(*where) for part in memory)
        return before.is_complete and before.data != after.data

    def _at(self, where: Range, t: int, kind: Kind) -> Access | None:
        rows = frame_accesses(self._index, self._history, where, (Time(t), Time(t + 1))).rows
        rows = rows[(rows["kind"] == kind) & (rows["t"] == t)]
        return Access.of(rows[-1]) if len(rows) else None


def _start(context: Context) -> int:
    return context.start
