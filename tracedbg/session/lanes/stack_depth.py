"""How deep the current stack is: bytes from its highest sp in view down to sp.

Stacks are told apart by their range: a jump of sp that no frame explains begins a new stretch of sp, and
stretches whose ranges overlap are one stack. So the top is what was seen, not what was allocated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracedbg.ids import Time
from tracedbg.session.lanes.lane import Lane, LaneView, bars
from tracedbg.session.register_track import RegisterTrack
from tracedbg.store.source import Integers, Numbers

FRAME_LIMIT = 1 << 13
"""A change of sp by more bytes than this is taken for a change of stacks."""
SAMPLES = 2
"""Keyframes looked at for one cell of a sampled lane."""


@dataclass(frozen=True)
class SpRows:
    """From each absolute ``t`` on sp has ``value``."""

    t: Integers
    value: Numbers


class StackDepth:
    """One lane, for the hart that the view is seen from."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lane, unless sp is unknown throughout."""
        track = view.index.track(view.index.sp_name)
        if track is None:
            return []
        rows = _exact(view, track) if view.is_exact else _sampled(view, track)
        if not len(rows.t):
            return []
        depths = stack_depths(rows.value)
        heights = _highest_by_column(view, rows.t, depths)
        deepest = int(heights.max())
        cells = bars(heights, deepest)
        note = f"deepest in view {deepest:,} bytes"
        return [Lane("stack depth", cells, "d" * view.width, exact=view.is_exact, note=note)]


def _exact(view: LaneView, track: RegisterTrack) -> SpRows:
    start, first = view.visible.start, view.epochs[0]
    opening, known = track.values_at(first, view.hart, np.array([start]))
    parts = [track.writes(number) for number in view.epochs]
    rows = np.concatenate(parts)
    rows = rows[(rows["hart"] == view.hart) & rows["known"] & view.inside(rows["t"])]
    t = np.concatenate([np.array([start] if known[0] else [], np.int64), rows["t"].astype(np.int64)])
    return SpRows(t, np.concatenate([opening[known], rows["value"]]))


def _sampled(view: LaneView, track: RegisterTrack) -> SpRows:
    times: list[int] = []
    values: list[int] = []
    for _, number, low, high in view.iter_epoch_columns():
        epoch = view.index.trace.epoch(number)
        moments, harts, _ = epoch.keyframes
        own = np.flatnonzero((harts == view.hart) & (moments >= low) & (moments < high))
        for keyframe in own[:: max(len(own) // SAMPLES, 1)].tolist():
            times.append(epoch.start + int(moments[keyframe]))
            values.append(int(epoch.keyframe_values(keyframe)[track.register]))
    return SpRows(np.array(times, np.int64), np.array(values, np.uint64))


def stack_depths(values: Numbers) -> Integers:
    """Return how far each value of sp, in order of time, lies below the top of its stack."""
    # Differences modulo 2**64, seen as signed numbers.
    steps = np.diff(values).view(np.int64)
    begins = np.concatenate([[True], np.abs(steps) > FRAME_LIMIT])
    starts = np.flatnonzero(begins)
    low, high = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    tops = _merged_tops(low, high)
    return (np.repeat(tops, np.diff(np.append(starts, len(values)))) - values).astype(np.int64)


def _merged_tops(low: Numbers, high: Numbers) -> Numbers:
    """Return for each range the highest address of all that it overlaps, directly or through others."""
    order = np.argsort(low, kind="stable")
    reach = np.maximum.accumulate(high[order])
    apart = np.concatenate([[True], low[order][1:] > reach[:-1]])
    group = np.cumsum(apart) - 1
    last = np.append(np.flatnonzero(apart)[1:] - 1, len(order) - 1)
    tops = np.empty_like(high)
    tops[order] = reach[last][group]
    return tops


def _highest_by_column(view: LaneView, t: Integers, depths: Integers) -> Integers:
    """Return the greatest depth in each column; what sp was before holds on in columns without a change."""
    heights = np.zeros(view.width, np.int64)
    np.maximum.at(heights, view.columns(t), depths)
    before = np.searchsorted(t, view.edges[:-1], "right") - 1
    carried = np.where(before >= 0, depths[np.maximum(before, 0)], 0)
    return np.maximum(heights, carried)


def sp_top(view: LaneView, t: Time) -> int | None:
    """Return the highest sp of the stack in use at ``t``, as far as a view shows it."""
    track = view.index.track(view.index.sp_name)
    if track is None or not view.is_exact:
        return None
    rows = _exact(view, track)
    place = int(np.searchsorted(rows.t, t, "right")) - 1
    return None if place < 0 else int(rows.value[place]) + int(stack_depths(rows.value)[place])
