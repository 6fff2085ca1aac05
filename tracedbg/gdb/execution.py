"""The one object that a connection changes: where in time it is, on which hart, and what it waits for."""

from collections.abc import Callable
from dataclasses import dataclass

from tracedbg.errors import PositionError, UsageError
from tracedbg.gdb.points import Points
from tracedbg.gdb.requests import Point
from tracedbg.gdb.search import Hit, Search
from tracedbg.ids import Hart, Time
from tracedbg.query import hart_at, last_of_hart, next_of_hart, next_outside
from tracedbg.state import Moment, Piece, Trace
from tracedbg.state.where import parse_range, pieces

MOMENTS_KEPT = 16


class InterruptedSearchError(Exception):
    """gdb asked for the search to be given up."""


Poll = Callable[[], None]
"""Called now and then in a long search; raises InterruptedSearchError to give it up."""


@dataclass(frozen=True)
class Stop:
    """Why a run stopped: at a point, at an ``edge`` of the recording (begin, end), or ``interrupted``.

    Without any of these it was a step, or nothing has run yet.
    """

    hart: Hart
    hit: Hit | None = None
    edge: str | None = None
    interrupted: bool = False


class Execution:
    """A place in a recorded run, and runs from there forwards and backwards.

    The place is a t at which an instruction starts, or the trace's end where it is known at which pc the hart
    stands that ran last. t orders the instructions of all harts. A step takes one hart past its own next
    instruction (or back before its last one), whatever others do between; a run goes through the
    instructions of all.
    """

    def __init__(self, trace: Trace, t: Time) -> None:
        if trace.end == trace.start:
            raise UsageError(f"{trace.store.path}: no instruction ran, so there is nothing to debug")
        self.trace = trace
        self.points = Points()
        self.is_physical = False
        self._last = Time(trace.end - (trace.at(trace.end).pc is None))
        self._reported: tuple[Time, bool] | None = None
        self._moments: dict[tuple[Time, int], Moment] = {}
        self.t = trace.start
        self.stop = Stop(Hart(0))
        self.go(t)

    def go(self, t: Time) -> None:
        """Move to a moment; an end without a pc is taken for the last instruction. PositionError outside."""
        if not self.trace.start <= t <= self.trace.end:
            raise PositionError(f"t {t}: the trace goes from {self.trace.start} to {self.trace.end}")
        self.t = min(t, self._last)
        self.stop = Stop(self._running(self.t))
        self._reported = None

    def moment(self, hart: Hart) -> Moment:
        """Return the present moment as a hart sees it."""
        key = (self.t, int(hart))
        if key not in self._moments:
            while len(self._moments) >= MOMENTS_KEPT:
                del self._moments[next(iter(self._moments))]
            self._moments[key] = self.trace.at(self.t, hart=hart)
        return self._moments[key]

    def insert(self, point: Point, hart: Hart) -> None:
        """Set a breakpoint or watchpoint, its address as a hart means it now.

        UsageError for bytes that are mapped nowhere.
        """
        self.points.insert(point, lambda address, size: self._locate(address, size, hart))

    def _locate(self, address: int, size: int, hart: Hart) -> list[Piece]:
        where = parse_range((address, size), self.trace.symbols, virtual=not self.is_physical)
        return pieces(where, self.moment(hart), self.trace.store.guest)

    def run(self, poll: Poll, *, reverse: bool = False) -> Stop:
        """Run to the next point or edge."""
        self.points.forget_unused()
        bound, edge = (self.trace.start, self.trace.start) if reverse else (self.trace.end, self._last)
        found = self._search(poll, bound, reverse)
        return found or self._settle(edge, Stop(self._running(edge), edge="begin" if reverse else "end"))

    def step(
        self, hart: Hart, poll: Poll, *, reverse: bool = False, within: tuple[int, int] | None = None
    ) -> Stop:
        """Take a hart past its next instruction, or back before its last one; a point between stops it.

        Forwards ``within`` two addresses it goes on until it stands outside.
        """
        try:
            target = self._before(hart) if reverse else self._after(hart, within, poll)
        except InterruptedSearchError:
            return self._settle(self.t, Stop(hart, interrupted=True))
        if target is None:
            return self.run(poll, reverse=reverse)
        return self._search(poll, target, reverse) or self._settle(target, Stop(hart))

    def _after(self, hart: Hart, within: tuple[int, int] | None, poll: Poll) -> Time | None:
        own = next_of_hart(self.trace.store, hart, self.t)
        if own is None:
            return None
        if within is None:
            return next_of_hart(self.trace.store, hart, Time(own + 1)) or self._behind(hart, own)
        return next_outside(self.trace.store, hart, Time(own + 1), within, lambda _: poll())

    def _behind(self, hart: Hart, last: Time) -> Time | None:
        """Return the moment behind a hart's last instruction, None where it has no pc there."""
        t = Time(last + 1)
        return None if t > self._last or self.trace.at(t, hart=hart).pc is None else t

    def _before(self, hart: Hart) -> Time | None:
        return last_of_hart(self.trace.store, hart, self.t)

    def _running(self, t: Time) -> Hart:
        return hart_at(self.trace.store, t) or Hart(0)

    def _search(self, poll: Poll, bound: Time, reverse: bool) -> Stop | None:
        """Look for a point on the way to ``bound``; go there, or to where the search was given up."""
        reached = self.t

        def check(t: Time) -> None:
            nonlocal reached
            reached = t
            poll()

        search = Search(self.trace.store, self.points.breakpoints, self.points.watchpoints, check)
        skip = self._reported == (self.t, reverse)
        try:
            hit = (search.backwards if reverse else search.forwards)(self.t, bound, skip=skip)
        except InterruptedSearchError:
            return self._settle(reached, Stop(self._running(reached), interrupted=True))
        if hit is None:
            return None
        stop = self._settle(hit.t, Stop(hit.hart, hit))
        self._reported = (hit.t, reverse) if hit.kind.is_watch else None
        return stop

    def _settle(self, t: Time, stop: Stop) -> Stop:
        self.t, self.stop, self._reported = t, stop, None
        return stop
