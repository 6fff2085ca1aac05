"""When a hart leaves a range of code."""

from collections.abc import Callable, Iterator

import numpy as np

from tracedbg.ids import Epoch, Hart, Time
from tracedbg.store.epoch import EpochData
from tracedbg.store.trace import Trace

_FIRST_STRETCH = 64
_GROWTH = 16


def next_outside(
    trace: Trace, hart: Hart, t: Time, within: tuple[int, int], check: Callable[[Time], None]
) -> Time | None:
    """Return the first t' >= t at which a hart starts an instruction outside first <= address < last.

    ``check`` is called with the start of each epoch that is gone through, and may raise to give up.
    """
    low, high = within
    blocks = trace.blocks
    size = np.uint64(max(high - low, 0))
    is_outside = blocks.address - np.uint64(low) >= size
    leaving = np.flatnonzero(np.logical_or.reduceat(is_outside, blocks.first[:-1]))
    first = trace.epoch_of(t)
    for index in trace.spans.candidates(first, trace.epochs, lambda span: span.executes(leaving)):
        epoch = trace.epoch(Epoch(index))
        check(epoch.start)
        for start, stop in _stretches(epoch, t):
            rows = epoch.instructions(start, stop, hart)
            found = np.flatnonzero(is_outside[rows.instruction])
            if len(found):
                return Time(epoch.start + int(rows.t[found[0]]))
    return None


def _stretches(epoch: EpochData, t: Time) -> Iterator[tuple[int, int]]:
    """Yield stretches of offsets that make up an epoch from ``t`` on: short at first, as most steps are."""
    start, length = max(t - epoch.start, 0), _FIRST_STRETCH
    while start < epoch.length:
        yield start, min(start + length, epoch.length)
        start, length = start + length, length * _GROWTH
