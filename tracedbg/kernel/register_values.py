"""What one register held at many moments of a whole trace, on the harts that were running."""

import numpy as np

from tracedbg.ids import Epoch, Hart, Time
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.state.register_track import RegisterTrack
from tracedbg.store.source import Flags, Integers, Numbers

FEW = 8
"""Moments of one epoch and hart for which not all writes of a register are looked for."""


def register_values(index: TraceIndex, name: str, harts: Numbers, times: Integers) -> tuple[Numbers, Flags]:
    """Return the values of a register at absolute ``times``, ascending, each on its hart.

    The second array tells which of them are known; none is of a register that the trace does not have.
    """
    values, known = np.zeros(len(times), np.uint64), np.zeros(len(times), np.bool_)
    track = index.track(name)
    if track is None or not len(times):
        return values, known
    epochs = np.searchsorted(index.trace.epoch_starts, np.asarray(times, np.uint64), "right") - 1
    key = epochs * (1 << 16) + harts
    for group in np.unique(key).tolist():
        own = np.flatnonzero(key == group) if len(times) <= FEW else _rows_of(key, epochs, group)
        found = _group_values(track, Epoch(group >> 16), Hart(group & 0xFFFF), times[own])
        values[own], known[own] = found
    return values, known


def _rows_of(key: Integers, epochs: Integers, group: int) -> Integers:
    """Return the rows of a group; its epoch's rows lie side by side."""
    low, high = np.searchsorted(epochs, [group >> 16, (group >> 16) + 1])
    rows: Integers = low + np.flatnonzero(key[low:high] == group)
    return rows


def _group_values(track: RegisterTrack, epoch: Epoch, hart: Hart, times: Integers) -> tuple[Numbers, Flags]:
    if len(times) > FEW:
        return track.values_at(epoch, hart, times)
    found = [track.value_at(hart, Time(t)) for t in times.tolist()]
    known = np.array([value is not None for value in found], np.bool_)
    return np.array([value or 0 for value in found], np.uint64), known
