"""Steps over calls and out of functions, in both directions, by calls, returns, traps and sp.

A call is over when the instruction after it starts in the context of the call: recursion, interrupts and
other tasks in between do not matter. The way out of a function is the caller's frame of the call stack.
Where no unwind rules tell that, calls and returns made at or above the present sp are counted.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from tracedbg.disasm import Flow
from tracedbg.errors import TracedbgError
from tracedbg.ids import Epoch, Hart, Time
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Executed, executed_at, last_of_hart, next_of_hart
from tracedbg.session.flow_events import FlowEvents, events_of
from tracedbg.session.running_context import Check, Context, ContextSearch, go_on
from tracedbg.state import FoundBy, Frame, Moment

MomentAt = Callable[[Time], Moment]


class StepError(TracedbgError):
    """There is nowhere to step to; the sentence says why."""


class FunctionSteps:
    """Finds where function-wise steps lead in one trace."""

    def __init__(self, index: TraceIndex, moment: MomentAt, check: Check = go_on) -> None:
        self._index = index
        self._trace = index.trace
        self._moment = moment
        self._check = check
        self._search = ContextSearch(index, check)

    def over_forward(self, t: Time) -> Time:
        """Return the next moment in this function: calls and traps are passed over.

        A return leads into the caller. StepError where the call never comes back in this trace.
        """
        here = self._executed(t)
        if self._flow(here) & Flow.CALL:
            return self._came_back(self._search.context_of(here), (self._after(here),), t, "call")
        following = next_of_hart(self._trace, here.hart, Time(t + 1)) if t + 1 < self._trace.end else None
        if following is None:
            return self._trace.end
        trap = self._index.find_trap(following, here.hart)
        if trap is None or self._flow(here) & Flow.TRAP_RETURN:
            return following
        # A system call comes back after its instruction, a fault or an interrupt at it.
        context = replace(self._search.context_of(self._executed(following)), privilege=here.privilege)
        return self._came_back(context, (int(trap["epc"]), self._after(here)), following, "trap")

    def over_backward(self, t: Time) -> Time:
        """Return the moment before in this function, the mirror of ``over_forward``."""
        here = executed_at(self._trace, t)
        last = last_of_hart(self._trace, self._hart(t), t)
        if last is None:
            return self._trace.start
        before = self._executed(last)
        if here is None or here.hart != before.hart:
            return last
        flow = self._flow(before)
        if flow & Flow.RETURN:
            return self._call_before(here.pc, self._search.context_of(here), last) or last
        return self._trapping(here, last) or last if flow & Flow.TRAP_RETURN else last

    def out_forward(self, t: Time) -> Time:
        """Return the first moment in the caller, or in what was interrupted, after this function's end."""
        here = self._executed(t)
        caller = self._caller(t)
        found = (
            self._counted_out(here)
            if caller is None
            else self._search.first((caller.pc,), self._context_of_frame(caller), t)
        )
        if found is None:
            raise StepError("this function does not return before the trace ends")
        return found

    def out_backward(self, t: Time) -> Time:
        """Return the moment of the call, or of the last instruction before the trap, that led here."""
        here = self._executed(t)
        caller = self._caller(t)
        found = (
            self._counted_back(here)
            if caller is None
            else self._call_before(caller.pc, self._context_of_frame(caller), t)
        )
        if found is None:
            raise StepError("the call of this function lies before the trace's start")
        return found

    def _executed(self, t: Time) -> Executed:
        found = executed_at(self._trace, t)
        if found is None:
            raise StepError("nothing runs at the end of the trace")
        return found

    def _hart(self, t: Time) -> Hart:
        return self._executed(t if t < self._trace.end else Time(t - 1)).hart

    def _flow(self, executed: Executed) -> Flow:
        """How an instruction changes the flow of control; only a block's last one can."""
        if executed.instruction + 1 != self._trace.blocks.first[executed.block + 1]:
            return Flow(0)
        return Flow(int(self._index.block_flow[executed.block]))

    def _after(self, executed: Executed) -> int:
        return executed.pc + int(self._trace.blocks.length[executed.instruction])

    def _caller(self, t: Time) -> Frame | None:
        """Return the frame that this function was called from, None where no unwind rules tell it."""
        frames = self._moment(t).backtrace()
        own = next((number for number, frame in enumerate(frames) if not frame.is_inlined), len(frames))
        caller = frames[own + 1] if own + 1 < len(frames) else None
        return caller if caller is not None and caller.found_by is FoundBy.CFI else None

    @staticmethod
    def _context_of_frame(frame: Frame) -> Context:
        # A function may load another address space and return in it.
        return Context(frame.hart, frame.privilege, frame.sp, None)

    def _came_back(self, context: Context, pcs: tuple[int, ...], after: Time, what: str) -> Time:
        found = self._search.first(pcs, context, after)
        if found is None:
            raise StepError(f"this {what} never comes back in this trace")
        return found

    def _call_before(self, return_address: int, context: Context, before: Time) -> Time | None:
        """Return the last call before a moment that comes back to an address."""
        blocks = self._trace.blocks
        last = blocks.first[1:] - 1
        ends = blocks.address[last] + blocks.length[last].astype(np.uint64)
        calls = (self._index.block_flow & Flow.CALL.value) != 0
        pcs = np.unique(blocks.address[last[calls & (ends == np.uint64(return_address))]])
        return self._search.last(pcs.tolist(), context, before)

    def _trapping(self, here: Executed, before: Time) -> Time | None:
        """Return the last instruction before the trap whose handler came back to ``here``."""
        rows = self._index.traps
        rows = rows[(rows["hart"] == here.hart) & (rows["t"] <= before) & (rows["source"] == here.privilege)]
        back = np.uint64(here.pc) - rows["epc"]
        # The epc is the instruction itself, or a system call's, which is 4 bytes long and just before it.
        rows = rows[((back == 0) | (back == 4)) & (rows["last"] >= self._trace.start)]
        context = self._search.context_of(here)
        for row in rows[::-1]:
            # A trap leaves sp and address space alone: its handler begins with those of what it interrupted.
            begun = self._search.context_of(self._executed(Time(int(row["t"]))))
            if replace(begun, privilege=here.privilege) == context:
                return Time(int(row["last"]))
        return None

    def _counted_out(self, here: Executed) -> Time | None:
        depth = 0
        for events in self._events(here, reverse=False):
            total = depth + np.cumsum(events.change)
            ended = np.flatnonzero(total == -1)
            if len(ended):
                found = next_of_hart(self._trace, here.hart, Time(int(events.t[ended[0]]) + 1))
                return self._trace.end if found is None else found
            depth = int(total[-1])
        return None

    def _counted_back(self, here: Executed) -> Time | None:
        depth = 0
        for events in self._events(here, reverse=True):
            total = depth - np.cumsum(events.change)
            begun = np.flatnonzero(total == -1)
            if len(begun):
                return Time(int(events.t[begun[0]]))
            depth = int(total[-1])
        return None

    def _events(self, here: Executed, *, reverse: bool) -> Iterator[FlowEvents]:
        """Yield, epoch by epoch, the calls, returns and traps of a hart at or above its sp; none empty."""
        context = self._search.context_of(here)
        index = self._trace.epoch_of(here.t)
        for number in range(index, -1, -1) if reverse else range(index, self._trace.epochs):
            self._check()
            events = events_of(self._index, Epoch(number), context.hart)
            keep = events.t < here.t if reverse else events.t >= here.t
            keep &= events.above(context.sp or 0, context.privilege)
            events = events.select(keep)
            if len(events.t):
                yield events.reversed() if reverse else events
