"""Where a run forwards or backwards first meets a breakpoint or watchpoint: searched for, never stepped to.

A watchpoint's stop is at the instruction that is about to touch the bytes when time runs forwards, and just
behind it when time runs backwards. That is what gdb expects of processors that trap before the access
(RISC-V, AArch64): it then steps over the instruction, in the direction of time, and compares values.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tracedbg.gdb.points import Watchpoint, ranges
from tracedbg.gdb.requests import Point, PointKind
from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.query import Access, Kind, hart_at, iter_accesses, iter_changing, iter_executions
from tracedbg.query.accesses import Range
from tracedbg.store import Trace

Check = Callable[[Time], None]
"""Called with the moment that a long search has come to; raises to give it up."""

_FIRST_EPOCHS, _MOST_EPOCHS = 8, 64
_KINDS = {
    PointKind.WRITE: Kind.WRITE,
    PointKind.READ: Kind.LOAD,
    PointKind.ACCESS: Kind.ANY,
}


@dataclass(frozen=True)
class Hit:
    """A stop at moment ``t`` on ``hart``; of a watchpoint ``address`` is the watched one that was touched."""

    t: Time
    hart: Hart
    kind: PointKind
    address: int | None = None


@dataclass(frozen=True)
class Search:
    """A trace, and what stops a run through it."""

    trace: Trace
    breakpoints: Sequence[Point]
    watchpoints: Sequence[Watchpoint]
    check: Check

    def forwards(self, start: Time, stop: Time, *, skip: bool = False) -> Hit | None:
        """Return the first stop after ``start`` and before ``stop``.

        A watchpoint that the instruction at ``start`` touches counts unless ``skip``: it was reported before.
        """
        for first, last in self._windows(start, stop):
            self.check(first)
            hits = [
                *(self._execution(point, Time(max(first, start + 1)), last) for point in self.breakpoints),
                *(
                    self._access(watch, Time(start + 1) if skip and first == start else first, last)
                    for watch in self.watchpoints
                ),
            ]
            found = [hit for hit in hits if hit is not None]
            if found:
                return min(found, key=_moment)
        return None

    def backwards(self, start: Time, stop: Time, *, skip: bool = False) -> Hit | None:
        """Return the last stop before ``start`` and not before ``stop``, as time runs backwards.

        A watchpoint that the instruction before ``start`` touches counts, and is a stop at ``start`` itself,
        unless ``skip``.
        """
        for first, last in self._windows_back(start, stop):
            self.check(last)
            before = Time(max(start - 1, first)) if skip and last == start else last
            hits = [
                *(self._execution(point, first, last, reverse=True) for point in self.breakpoints),
                *(self._access(watch, first, before, reverse=True) for watch in self.watchpoints),
            ]
            found = [hit for hit in hits if hit is not None]
            if found:
                return max(found, key=_moment)
        return None

    def _windows(self, start: Time, stop: Time) -> Iterator[tuple[Time, Time]]:
        """Yield stretches that make up start to stop, each of some epochs: few at first, then many."""
        starts, count = self.trace.epoch_starts, _FIRST_EPOCHS
        while start < stop:
            index = self.trace.epoch_of(start) + count
            end = min(Time(int(starts[index])), stop) if index < len(starts) else stop
            yield start, end
            start, count = end, min(2 * count, _MOST_EPOCHS)

    def _windows_back(self, stop: Time, start: Time) -> Iterator[tuple[Time, Time]]:
        """Yield stretches that make up start to stop, the newest first."""
        starts, count = self.trace.epoch_starts, _FIRST_EPOCHS
        while stop > start:
            index = self.trace.epoch_of(Time(stop - 1)) - count + 1
            begin = max(Time(int(starts[index])), start) if index > 0 else start
            yield begin, stop
            stop, count = begin, min(2 * count, _MOST_EPOCHS)

    def _execution(self, point: Point, start: Time, stop: Time, *, reverse: bool = False) -> Hit | None:
        """Return the first execution of a breakpoint's address with start <= t < stop, or the last one."""
        if start >= stop:
            return None
        pc = VirtualAddress(point.address)
        rows = next(iter_executions(self.trace, pc, between=(start, stop), reverse=reverse), None)
        if rows is None:
            return None
        row = rows[-1 if reverse else 0]
        return Hit(Time(int(row["t"])), Hart(int(row["hart"])), point.kind)

    def _access(self, watch: Watchpoint, start: Time, stop: Time, *, reverse: bool = False) -> Hit | None:
        """Return the stop at the first or last touch of watched bytes between two moments.

        Of a watchpoint for writes only those count that change a byte: gdb would go on after the others.
        """
        if start >= stop:
            return None
        found = [self._touch(watch, where, (start, stop), reverse) for where in ranges(watch)]
        hits = [hit for hit in found if hit is not None]
        return (max if reverse else min)(hits, key=_moment) if hits else None

    def _touch(
        self, watch: Watchpoint, where: Range, between: tuple[Time, Time], reverse: bool
    ) -> Hit | None:
        kind = _KINDS[watch.point.kind]
        found = (
            iter_changing(self.trace, where, between=between, reverse=reverse)
            if kind == Kind.WRITE
            else iter_accesses(self.trace, where, between=between, kind=kind, reverse=reverse)
        )
        for rows in found:
            self.check(between[1] if reverse else between[0])
            # What changed before the recording began is no event on the way.
            hits = rows[(rows["kind"] != Kind.CHANGE) | (rows["t"] > self.trace.start)]
            if len(hits):
                return self._hit(watch, Access.of(hits[-1 if reverse else 0]), reverse)
        return None

    def _hit(self, watch: Watchpoint, access: Access, reverse: bool) -> Hit:
        # A change holds from its t on: it happened on the way there.
        before = access.t if access.hart is not None else Time(access.t - 1)
        t = Time(before + 1) if reverse else before
        hart = access.hart if access.hart is not None else hart_at(self.trace, t)
        return Hit(t, Hart(0) if hart is None else hart, watch.point.kind, watch.touched_address(access))


def _moment(hit: Hit) -> Time:
    return hit.t
