"""Steps by instruction and by block, in both directions, through the order of all harts."""

import numpy as np

from tracedbg.ids import Time
from tracedbg.store import Trace


def next_instruction(trace: Trace, t: Time) -> Time:
    """Return the next moment; the trace's end stays where it is."""
    return Time(min(t + 1, trace.end))


def last_instruction(trace: Trace, t: Time) -> Time:
    """Return the moment before; the trace's start stays where it is."""
    return Time(max(t - 1, trace.start))


def next_block(trace: Trace, t: Time) -> Time:
    """Return the first moment after ``t`` at which a block begins to run, else the trace's end."""
    for index in range(trace.epoch_of(t), trace.epochs):
        epoch = trace.epoch(index)
        starts = epoch.run_start
        place = int(np.searchsorted(starts, t - epoch.start, "right"))
        # The last row is the epoch's length: the next epoch begins there.
        if place < len(starts) - 1:
            return Time(epoch.start + int(starts[place]))
        if epoch.end > t and index + 1 < trace.epochs:
            return Time(int(trace.epoch_starts[index + 1]))
    return trace.end


def last_block(trace: Trace, t: Time) -> Time:
    """Return the last moment before ``t`` at which a block began to run, else the trace's start."""
    for index in range(trace.epoch_of(t), -1, -1):
        epoch = trace.epoch(index)
        starts = epoch.run_start[:-1]
        place = int(np.searchsorted(starts, t - epoch.start, "left"))
        if place:
            return Time(epoch.start + int(starts[place - 1]))
    return trace.start
