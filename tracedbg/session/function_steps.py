"""Steps over calls and out of functions, in both directions, by calls, returns, traps and sp.

A call is over when the instruction after it starts with the sp, hart, privilege and address space of the
call: recursion, interrupts and other tasks in between do not matter. The way out of a function is found by
counting calls and returns made at or above the present sp, on the hart at hand: what happens deeper in the
stack cancels out and is not looked at.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.disasm import Flow
from tracedbg.errors import TracedbgError
from tracedbg.ids import Epoch, Hart, Time, VirtualAddress
from tracedbg.query import Executed, executed_at, iter_executions, last_of_hart, next_of_hart
from tracedbg.query.rows import Rows
from tracedbg.session.flow_events import FlowEvents, events_of
from tracedbg.session.trace_index import TraceIndex

Check = Callable[[], None]
"""Called now and then in a long search; raises to give it up."""


class StepError(TracedbgError):
    """There is nowhere to step to; the sentence says why."""


def go_on() -> None:
    """The Check that never gives up."""


@dataclass(frozen=True)
class Context:
    """What makes two moments belong to one running function: hart, privilege, sp, address space."""

    hart: Hart
    privilege: int
    sp: int
    satp: int


class FunctionSteps:
    """Finds where function-wise steps lead in one trace."""

    def __init__(self, index: TraceIndex, check: Check = go_on) -> None:
        self._index = index
        self._trace = index.trace
        self._check = check

    def over_forward(self, t: Time) -> Time:
        """Return the next moment in this function: calls and traps are passed over.

        A return leads into the caller. StepError where the call never comes back in this trace.
        """
        here = self._executed(t)
        if self._flow(here) & Flow.CALL:
            return self._came_back(here, (self._after(here),), "call")
        following = next_of_hart(self._trace, here.hart, Time(t + 1)) if t + 1 < self._trace.end else None
        if following is None:
            return self._trace.end
        trap = self._index.find_trap(following, here.hart)
        if trap is None or self._flow(here) & Flow.TRAP_RETURN:
            return following
        # A system call comes back after its instruction, a fault or an interrupt at it.
        return self._came_back(here, (int(trap["epc"]), self._after(here)), "trap")

    def over_backward(self, t: Time) -> Time:
        """Return the moment before in this function, the mirror of ``over_forward``."""
        hart = self._hart(t)
        last = last_of_hart(self._trace, hart, t)
        if last is None:
            return self._trace.start
        before = self._executed(last)
        here = executed_at(self._trace, t)
        if here is None or here.hart != before.hart:
            return last
        flow = self._flow(before)
        if flow & Flow.RETURN:
            return self._calling(here, last) or last
        return self._trapping(here, last) or last if flow & Flow.TRAP_RETURN else last

    def out_forward(self, t: Time) -> Time:
        """Return the first moment in the caller, or in what was interrupted, after this function's end."""
        here = self._executed(t)
        depth = 0
        for events in self._events(here, reverse=False):
            total = depth + np.cumsum(events.change)
            ended = np.flatnonzero(total == -1)
            if len(ended):
                found = next_of_hart(self._trace, here.hart, Time(int(events.t[ended[0]]) + 1))
                return self._trace.end if found is None else found
            depth = int(total[-1])
        raise StepError("this function does not return before the trace ends")

    def out_backward(self, t: Time) -> Time:
        """Return the moment of the call, or of the last instruction before the trap, that led here."""
        here = self._executed(t)
        depth = 0
        for events in self._events(here, reverse=True):
            total = depth - np.cumsum(events.change)
            begun = np.flatnonzero(total == -1)
            if len(begun):
                return Time(int(events.t[begun[0]]))
            depth = int(total[-1])
        raise StepError("the call of this function lies before the trace's start")

    def _executed(self, t: Time) -> Executed:
        found = executed_at(self._trace, t)
        if found is None:
            raise StepError("nothing runs at the end of the trace")
        return found

    def _hart(self, t: Time) -> Hart:
        return self._executed(t if t < self._trace.end else Time(t - 1)).hart

    def _flow(self, executed: Executed) -> Flow:
        """How an instruction changes the flow of control; only a block's last one can."""
        blocks = self._trace.blocks
        if executed.instruction + 1 != blocks.first[executed.block + 1]:
            return Flow(0)
        return Flow(int(self._index.block_flow[executed.block]))

    def _after(self, executed: Executed) -> int:
        return executed.pc + int(self._trace.blocks.length[executed.instruction])

    def _context(self, executed: Executed) -> Context:
        values = [self._value(name, executed.hart, executed.t) for name in ("sp", "satp")]
        return Context(executed.hart, executed.privilege, *values)

    def _value(self, name: str, hart: Hart, t: Time) -> int:
        track = self._index.track(name)
        return (track.value_at(hart, t) or 0) if track is not None else 0

    def _came_back(self, here: Executed, pcs: tuple[int, ...], what: str) -> Time:
        context = self._context(here)
        between = (Time(here.t + 1), self._trace.end)
        found = [
            self._first(iter_executions(self._trace, VirtualAddress(pc), between=between), context, newest=False)
            for pc in dict.fromkeys(pcs)
        ]
        times = [t for t in found if t is not None]
        if not times:
            raise StepError(f"this {what} never comes back in this trace")
        return min(times)

    def _first(self, parts: Iterator[Rows], context: Context, *, newest: bool) -> Time | None:
        """Return the first moment of ``parts`` in ``context``; with ``newest`` each part's last."""
        for rows in parts:
            self._check()
            times = self._in_context(rows, context)
            if len(times):
                return Time(int(times[-1 if newest else 0]))
        return None

    def _in_context(self, rows: Rows, context: Context) -> np.ndarray:
        privilege = self._trace.blocks.privilege[rows["block"]]
        rows = rows[(rows["hart"] == context.hart) & (privilege == context.privilege)]
        times = rows["t"].astype(np.int64)
        for name, wanted in (("sp", context.sp), ("satp", context.satp)):
            track = self._index.track(name)
            if track is not None and len(times):
                epoch = self._trace.epoch_of(Time(int(times[0])))
                values, _ = track.values_at(epoch, context.hart, times)
                times = times[values == np.uint64(wanted)]
        return times

    def _calling(self, here: Executed, before: Time) -> Time | None:
        """Return the last call before a moment that comes back to ``here``."""
        blocks = self._trace.blocks
        last = blocks.first[1:] - 1
        ends = blocks.address[last] + blocks.length[last].astype(np.uint64)
        calls = (self._index.block_flow & Flow.CALL.value) != 0
        pcs = np.unique(blocks.address[last[calls & (ends == np.uint64(here.pc))]])
        return self._last_run(pcs.tolist(), here, before)

    def _last_run(self, pcs: list[int], here: Executed, before: Time) -> Time | None:
        context = self._context(here)
        between = (self._trace.start, before)
        found = [
            self._first(
                iter_executions(self._trace, VirtualAddress(pc), between=between, reverse=True), context, newest=True
            )
            for pc in pcs
        ]
        return max((t for t in found if t is not None), default=None)

    def _trapping(self, here: Executed, before: Time) -> Time | None:
        """Return the last instruction before the trap whose handler came back to ``here``."""
        rows = self._index.traps
        rows = rows[(rows["hart"] == here.hart) & (rows["t"] <= before) & (rows["source"] == here.privilege)]
        back = here.pc - rows["epc"].astype(np.uint64)
        # The epc is the instruction itself, or a system call's, which is 4 bytes long and just before it.
        rows = rows[((back == 0) | (back == 4)) & (rows["last"] >= self._trace.start)]
        return Time(int(rows["last"][-1])) if len(rows) else None

    def _events(self, here: Executed, *, reverse: bool) -> Iterator[FlowEvents]:
        """Yield, epoch by epoch, the calls, returns and traps of a hart at or above its sp; none empty."""
        context = self._context(here)
        index = self._trace.epoch_of(here.t)
        order = range(index, -1, -1) if reverse else range(index, self._trace.epochs)
        for number in order:
            self._check()
            events = events_of(self._index, Epoch(number), context.hart)
            keep = events.t < here.t if reverse else events.t >= here.t
            keep &= events.above(context.sp, context.privilege)
            events = events.select(keep)
            if len(events.t):
                yield events.reversed() if reverse else events
