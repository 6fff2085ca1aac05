"""When the instruction at an address ran."""

from collections.abc import Iterator, Sequence

import numpy as np

from tracedbg.ids import Time, VirtualAddress
from tracedbg.query.rows import EXECUTION, Rows, Window, join
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Integers
from tracedbg.store.trace import Trace

Addresses = VirtualAddress | Sequence[VirtualAddress]
"""The virtual address of an instruction, or all those at which it ran."""


def executions(trace: Trace, pc: Addresses, *, between: tuple[Time, Time] | None = None) -> Rows:
    """Return every start of the instruction at a virtual address as EXECUTION rows in order of t.

    ``between`` is (first t, t after the last); an instruction that trapped has started too.
    """
    return join(list(iter_executions(trace, pc, between=between)), EXECUTION)


def iter_executions(
    trace: Trace, pc: Addresses, *, between: tuple[Time, Time] | None = None, reverse: bool = False
) -> Iterator[Rows]:
    """Yield what ``executions`` returns epoch by epoch, none empty; the newest first when ``reverse``."""
    window = Window.of(trace, between)
    places = _places(trace, pc)
    blocks = np.flatnonzero(places >= 0)
    first, stop = window.epochs(trace)
    if not len(blocks):
        return
    for index in trace.spans.candidates(first, stop, lambda span: span.executes(blocks), reverse=reverse):
        rows = _epoch_rows(trace.epoch(index), places, window)
        if len(rows):
            yield rows


def _places(trace: Trace, pc: Addresses) -> Integers:
    """Return for each block which of its instructions is at an address, -1 for none."""
    blocks = trace.blocks
    found = np.flatnonzero(np.isin(blocks.address, np.array(pc, np.uint64)))
    places = np.full(len(blocks), -1, np.int64)
    holders = blocks.block_of[found]
    places[holders] = found - blocks.first[holders]
    return places


def _epoch_rows(epoch: EpochData, places: Integers, window: Window) -> Rows:
    starts = epoch.run_start
    place = places[epoch.run_block]
    runs = np.flatnonzero((place >= 0) & (place < np.diff(starts)))
    times = starts[runs] + place[runs]
    start, stop = window.instructions(epoch)
    keep = (times >= start) & (times < stop)
    runs, times = runs[keep], times[keep]
    rows = np.empty(len(runs), EXECUTION)
    rows["t"] = times + epoch.start
    rows["hart"] = epoch.hart_of_runs(runs)
    rows["block"] = epoch.run_block[runs]
    return rows


def last_execution(trace: Trace, pc: VirtualAddress, t: Time) -> Time | None:
    """Return the last start of the instruction at ``pc`` before ``t``."""
    rows = next(iter_executions(trace, pc, between=(trace.start, t), reverse=True), None)
    return None if rows is None else Time(int(rows["t"][-1]))


def next_execution(trace: Trace, pc: VirtualAddress, t: Time) -> Time | None:
    """Return the first start of the instruction at ``pc`` at or after ``t``."""
    rows = next(iter_executions(trace, pc, between=(t, trace.end)), None)
    return None if rows is None else Time(int(rows["t"][0]))
