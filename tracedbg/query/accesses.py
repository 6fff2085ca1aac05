"""Who loaded, stored or otherwise changed bytes of physical memory."""

from collections.abc import Iterator

import numpy as np

from tracedbg.format.schema import ACCESS_STORE, NEVER
from tracedbg.ids import PhysicalAddress, Time
from tracedbg.query.rows import ACCESS, Access, Kind, Rows, Window, join
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Integers
from tracedbg.store.spans import SpanData
from tracedbg.store.trace import Trace

CHANGE_SIZE = 8

Range = tuple[PhysicalAddress, int]
"""First physical address and size in bytes."""


def accesses(
    trace: Trace, where: Range, *, between: tuple[Time, Time] | None = None, kind: Kind = Kind.ANY
) -> Rows:
    """Return the accesses to a byte of ``where`` as ACCESS rows in order of t.

    ``between`` is (first t, t after the last); a change counts when it first shows in the state after the
    first moment, up to the last. A change comes before the accesses of the instruction at its t.
    """
    return join(list(iter_accesses(trace, where, between=between, kind=kind)), ACCESS)


def iter_accesses(
    trace: Trace,
    where: Range,
    *,
    between: tuple[Time, Time] | None = None,
    kind: Kind = Kind.ANY,
    reverse: bool = False,
) -> Iterator[Rows]:
    """Yield what ``accesses`` returns epoch by epoch, none empty; the newest epoch first when ``reverse``.

    Rows of one epoch are in order of t in both directions.
    """
    if where[0] < 0 or where[1] < 1:
        raise ValueError(f"a range of {where[1]} bytes at {where[0]:#x} holds no memory")
    window = Window.of(trace, between)
    for index in epochs_touching(trace, where, window, kind, reverse):
        rows = rows_of_epoch(trace.epoch(index), where, window, kind)
        if len(rows):
            yield rows


def accesses_of(trace: Trace, t: Time) -> Rows:
    """Return the loads and stores of the instruction that starts at ``t``, in the order it made them."""
    epoch = trace.epoch(trace.epoch_of(t))
    times = epoch.accesses.t
    first, stop = np.searchsorted(times, t - epoch.start), np.searchsorted(times, t - epoch.start, "right")
    return rows_at(epoch, np.arange(first, stop))


def epochs_touching(trace: Trace, where: Range, window: Window, kind: Kind, reverse: bool) -> Iterator[int]:
    """Yield the epochs of a window that may have such an access."""
    start, size = where
    first, stop = window.epochs(trace)
    # Spans tell of RAM; a device's registers are not memory.
    if not any(area.start <= start and start + size <= area.end for area in trace.guest.ram):
        return iter(reversed(range(first, stop)) if reverse else range(first, stop))

    def hit(span: SpanData) -> bool:
        written = bool(kind & Kind.WRITE) and span.writes(start, start + size)
        return written or (bool(kind & Kind.LOAD) and span.reads(start, start + size))

    return trace.spans.candidates(first, stop, hit, reverse=reverse)


def rows_of_epoch(epoch: EpochData, where: Range, window: Window, kind: Kind) -> Rows:
    """Return the accesses of an epoch that lie in a window, in order of t."""
    parts = []
    if kind & Kind.CHANGE:
        parts.append(_changes(epoch, where, window))
    if kind & (Kind.LOAD | Kind.STORE):
        parts.append(_accesses(epoch, where, window, kind))
    rows = join(parts, ACCESS)
    if len(parts) < 2 or not len(parts[0]):
        return rows
    # Stable, and changes are first: they come before the accesses of their t.
    return rows[np.argsort(rows["t"], kind="stable")]


def _accesses(epoch: EpochData, where: Range, window: Window, kind: Kind) -> Rows:
    return rows_at(epoch, find_in_epoch(epoch, where, window, kind))


def find_in_epoch(epoch: EpochData, where: Range, window: Window, kind: Kind) -> Integers:
    """Return the indices, in an epoch's table, of its loads and stores of a byte that lie in a window."""
    table = epoch.accesses
    found = table.touching(where[0], where[0] + where[1])
    store = (table.flags[found] & ACCESS_STORE) != 0
    if not kind & Kind.LOAD:
        found = found[store]
    elif not kind & Kind.STORE:
        found = found[~store]
    start, stop = window.instructions(epoch)
    if (start, stop) == (0, epoch.length):
        return found
    times = table.t[found]
    indices: Integers = found[(times >= start) & (times < stop)]
    return indices


def rows_at(epoch: EpochData, found: Integers) -> Rows:
    """Return the accesses with these indices in an epoch's table."""
    rows = np.empty(len(found), ACCESS)
    if not len(found):
        return rows
    table = epoch.accesses
    times, store = table.t[found], (table.flags[found] & ACCESS_STORE) != 0
    rows["t"] = times + np.uint64(epoch.start)
    rows["hart"] = epoch.hart_of_runs(np.searchsorted(epoch.run_start, times, "right") - 1)
    rows["kind"] = np.where(store, Kind.STORE, Kind.LOAD)
    rows["cause"] = 0
    for name in ("flags", "size", "virtual", "physical", "value"):
        rows[name] = getattr(table, name)[found]
    rows["second"] = table.second(found)
    rows["since"] = NEVER
    return rows


def _changes(epoch: EpochData, where: Range, window: Window) -> Rows:
    changes = epoch.accesses.changes
    found = epoch.accesses.changes_touching(where[0], where[0] + where[1])
    found = found[window.moments(epoch, changes.t[found])]
    rows = np.zeros(len(found), ACCESS)
    rows["t"] = changes.t[found] + np.uint64(epoch.start)
    rows["kind"] = Kind.CHANGE
    rows["size"] = CHANGE_SIZE
    rows["virtual"] = rows["second"] = NEVER
    for name in ("cause", "physical", "value", "since"):
        rows[name] = getattr(changes, name)[found]
    return rows


def last_write(trace: Trace, where: Range, t: Time) -> Access | None:
    """Return the newest store or change of a byte of ``where`` that the state at ``t`` shows."""
    return _last(trace, where, t, Kind.WRITE)


def last_read(trace: Trace, where: Range, t: Time) -> Access | None:
    """Return the newest load of a byte of ``where`` by an instruction before ``t``."""
    return _last(trace, where, t, Kind.LOAD)


def next_write(trace: Trace, where: Range, t: Time) -> Access | None:
    """Return the first store or change of a byte of ``where`` that the state at ``t`` does not show yet."""
    return _next(trace, where, t, Kind.WRITE)


def next_read(trace: Trace, where: Range, t: Time) -> Access | None:
    """Return the first load of a byte of ``where`` by the instruction at ``t`` or a later one."""
    return _next(trace, where, t, Kind.LOAD)


def _last(trace: Trace, where: Range, t: Time, kind: Kind) -> Access | None:
    between = (trace.start, t)
    parts = iter_accesses(trace, where, between=between, kind=kind, reverse=True)
    rows = next(parts, None)
    return None if rows is None else Access.of(rows[-1])


def _next(trace: Trace, where: Range, t: Time, kind: Kind) -> Access | None:
    rows = next(iter_accesses(trace, where, between=(t, trace.end), kind=kind), None)
    return None if rows is None else Access.of(rows[0])
