"""Instructions counted on one hart: what other harts start meanwhile does not count."""

from collections.abc import Iterator

import numpy as np

from tracedbg.format.schema import NEVER
from tracedbg.ids import Epoch, Hart, Time
from tracedbg.query.moments import find_epoch_after, stretches
from tracedbg.store.blocks import prefix_sum
from tracedbg.store.epoch import EpochData, Instructions
from tracedbg.store.source import Integers
from tracedbg.store.trace import Trace


def own_before(epoch: EpochData, hart: Hart | int, offsets: Integers) -> Integers:
    """Return how many instructions of an epoch a hart started before each offset."""
    starts, stops = stretches(epoch, hart)
    if not len(starts):
        return np.zeros(len(offsets), np.int64)
    places = np.searchsorted(starts, offsets, "right") - 1
    inside = np.maximum(places, 0)
    within = np.minimum(offsets, stops[inside]) - starts[inside]
    count: Integers = np.where(places < 0, 0, prefix_sum(stops - starts)[inside] + within)
    return count


def own_after(trace: Trace, hart: Hart, t: Time, count: int) -> Time:
    """Return the moment after the ``count``-th instruction that a hart starts from ``t`` on.

    The trace's end where it starts fewer.
    """
    index: int | None = trace.epoch_of(t)
    while index is not None:
        epoch = trace.epoch(index)
        starts, stops = stretches(epoch, hart)
        starts, stops = starts[stops > t - epoch.start], stops[stops > t - epoch.start]
        starts = np.maximum(starts, t - epoch.start)
        sums = prefix_sum(stops - starts)
        if sums[-1] >= count:
            place = int(np.searchsorted(sums, count)) - 1
            return Time(epoch.start + int(starts[place]) + count - int(sums[place]))
        count -= int(sums[-1])
        index = find_epoch_after(trace, hart, index + 1)
    return trace.end


def own_back(trace: Trace, hart: Hart, t: Time, count: int) -> Time:
    """Return the moment of the ``count``-th instruction back among those that a hart started before ``t``.

    The trace's start where it started fewer.
    """
    index = trace.epoch_of(t)
    while True:
        epoch = trace.epoch(index)
        starts, stops = stretches(epoch, hart)
        starts, stops = starts[starts < t - epoch.start], stops[starts < t - epoch.start]
        stops = np.minimum(stops, t - epoch.start)
        sums = prefix_sum((stops - starts)[::-1])
        if sums[-1] >= count:
            place = int(np.searchsorted(sums, count))
            return Time(epoch.start + int(stops[len(stops) - place]) - count + int(sums[place - 1]))
        count -= int(sums[-1])
        last = int(epoch.last_t[hart])
        if last == NEVER or last < trace.start:
            return trace.start
        index = Epoch(trace.epoch_of(Time(last)))


def iter_own(trace: Trace, hart: Hart, start: Time, stop: Time) -> Iterator[tuple[EpochData, Instructions]]:
    """Yield the instructions that a hart started in a span of time, epoch by epoch, in order."""
    for index in range(trace.epoch_of(start), trace.epoch_of(stop) + 1):
        epoch = trace.epoch(index)
        rows = epoch.instructions(start - epoch.start, stop - epoch.start, hart)
        if len(rows.t):
            yield epoch, rows
