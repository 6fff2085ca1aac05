"""The whole trace in one row: how much different code ran in each cell.

A loop that goes on for long is low, a phase in which much happens is high.
"""

import numpy as np

from tracedbg.format.schema import SPAN_FANOUT, SPAN_LEVELS
from tracedbg.ids import Hart, Time
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.session.lanes.lane import Lane, LaneView, bars
from tracedbg.session.place import Visible
from tracedbg.store.source import Integers

FINE_EPOCHS = 8
"""Traces of at most so many epochs are counted run by run."""


def overview(index: TraceIndex, width: int) -> Lane:
    """Return the lane of a whole trace."""
    trace = index.trace
    view = LaneView(index, Visible(trace.start, Time(max(trace.end, trace.start + 1))), width, Hart(0))
    counts = _fine(view) if trace.epochs <= FINE_EPOCHS else _by_span(view)
    # The root lets rare busy phases leave something of the others to see.
    heights = np.sqrt(counts)
    return Lane("overview", bars(heights, float(heights.max(initial=1))), "o" * width)


def _fine(view: LaneView) -> Integers:
    """Count the different blocks that began to run in each column."""
    pairs = []
    for number in view.epochs:
        epoch = view.index.trace.epoch(number)
        columns = np.searchsorted(view.edges, epoch.run_start[:-1] + epoch.start, "right") - 1
        pairs.append(np.unique(columns * (1 << 32) + epoch.run_block))
    found = np.unique(np.concatenate(pairs)) >> 32
    return np.bincount(np.clip(found, 0, view.width - 1), minlength=view.width)


def _by_span(view: LaneView) -> Integers:
    """Take the number of different blocks from spans no longer than a column where there are such."""
    trace = view.index.trace
    level = 1
    while level < SPAN_LEVELS and SPAN_FANOUT**level * view.width <= trace.epochs:
        level += 1
    counts = np.zeros(view.width, np.int64)
    for stretch in trace.spans.cover(0, trace.epochs, reverse=False, below=level):
        if stretch.level < 0:
            continue
        start = int(trace.epoch_starts[stretch.start])
        stop = int(trace.epoch_starts[stretch.stop]) if stretch.stop < trace.epochs else trace.end
        first, last = view.columns(np.array([start, max(stop - 1, start)])).tolist()
        ran = len(trace.spans.span(stretch).executed)
        counts[first : last + 1] = np.maximum(counts[first : last + 1], ran)
    return counts
