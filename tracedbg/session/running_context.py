"""Moments at which one running function is at work: same hart, privilege, sp and address space."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Executed, iter_executions
from tracedbg.query.rows import Rows
from tracedbg.store.source import Integers

Check = Callable[[], None]
"""Called now and then in a long search; raises to give it up."""


def go_on() -> None:
    """The Check that never gives up."""


@dataclass(frozen=True)
class Context:
    """What makes moments belong together; ``space`` is the address space's register, None for any."""

    hart: Hart
    privilege: int
    sp: int | None
    space: int | None


class ContextSearch:
    """Finds executions of an instruction in a context."""

    def __init__(self, index: TraceIndex, check: Check) -> None:
        self._index = index
        self._check = check

    def context_of(self, executed: Executed) -> Context:
        """Return the context of an instruction."""
        sp, space = (self._value(name, executed) for name in (self._index.sp_name, self._index.space_name))
        return Context(executed.hart, executed.privilege, sp, space)

    def _value(self, name: str, executed: Executed) -> int | None:
        track = self._index.track(name)
        return None if track is None else track.value_at(executed.hart, executed.t)

    def first(self, pcs: Sequence[int], context: Context, after: Time) -> Time | None:
        """Return the first moment after ``after`` at which an instruction at one of ``pcs`` starts there."""
        end = self._index.trace.end
        parts = [
            iter_executions(self._index.trace, VirtualAddress(pc), between=(Time(after + 1), end))
            for pc in dict.fromkeys(pcs)
        ]
        found = [self._end(part, context, 0) for part in parts]
        return min((t for t in found if t is not None), default=None)

    def last(self, pcs: Sequence[int], context: Context, before: Time) -> Time | None:
        """Return the last moment before ``before`` at which an instruction at one of ``pcs`` starts there."""
        between = (self._index.trace.start, before)
        parts = [
            iter_executions(self._index.trace, VirtualAddress(pc), between=between, reverse=True)
            for pc in dict.fromkeys(pcs)
        ]
        found = [self._end(part, context, -1) for part in parts]
        return max((t for t in found if t is not None), default=None)

    def _end(self, parts: Iterator[Rows], context: Context, end: int) -> Time | None:
        """Return the first (0) or last (-1) moment in context of the first part that has one."""
        for rows in parts:
            self._check()
            times = self._in_context(rows, context)
            if len(times):
                return Time(int(times[end]))
        return None

    def _in_context(self, rows: Rows, context: Context) -> Integers:
        privilege = self._index.trace.blocks.privilege[rows["block"]]
        rows = rows[(rows["hart"] == context.hart) & (privilege == context.privilege)]
        times: Integers = rows["t"].astype(np.int64)
        wanted = {self._index.sp_name: context.sp, self._index.space_name: context.space}
        for name, value in wanted.items():
            track = self._index.track(name)
            if track is not None and value is not None and len(times):
                epoch = self._index.trace.epoch_of(Time(int(times[0])))
                values, known = track.values_at(epoch, context.hart, times)
                times = times[known & (values == np.uint64(value))]
        return times
