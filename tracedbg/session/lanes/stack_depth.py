"""How deep the current stack is: bytes from its highest sp in view down to sp.

Stacks are told apart by their range: a change of sp that is no push or pop begins a new stretch of sp, and
stretches whose ranges overlap are one stack. So the top is what was seen, not what was allocated.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracedbg.arch.stack_code import PointerWrite
from tracedbg.format.schema import NEVER
from tracedbg.query.rows import Rows
from tracedbg.session.lanes.lane import Lane, LaneView, bars
from tracedbg.state.register_track import RegisterTrack
from tracedbg.store.source import Flags, Integers, Numbers

FRAME_LIMIT = 1 << 13
"""A change of sp by more bytes than this is taken for a change of stacks, whatever made it."""
SAMPLES = 2
"""Keyframes looked at for one cell of a sampled lane."""


@dataclass(frozen=True)
class SpRows:
    """From each absolute ``t`` on sp has ``value``; ``jumps`` where it was set by no push or pop."""

    t: Integers
    value: Numbers
    jumps: Flags


class StackDepth:
    """One lane, for the hart that the view is seen from."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lane, unless sp is unknown throughout."""
        track = view.index.track(view.index.sp_name)
        if track is None:
            return []
        rows = sp_rows(view, track) if view.is_exact else _sampled(view, track)
        if not len(rows.t):
            return []
        depths = stack_depths(rows.value, rows.jumps)
        heights = _highest_by_column(view, rows.t, depths)
        deepest = int(heights.max())
        cells = bars(heights, deepest)
        note = f"deepest in view {deepest:,} bytes"
        return [Lane("stack depth", cells, "d" * view.width, exact=view.is_exact, note=note)]


def sp_rows(view: LaneView, track: RegisterTrack) -> SpRows:
    """Return each value that sp of the view's hart has in a stretch that is exact, where it is known."""
    start, first = view.visible.start, view.epochs[0]
    opening, known = track.values_at(first, view.hart, np.array([start]))
    times, values, jumps = [np.array([start] * int(known[0]), np.int64)], [opening[known]], [known[known]]
    for number in view.epochs:
        rows = track.writes(number)
        rows = rows[(rows["hart"] == view.hart) & rows["known"] & view.inside(rows["t"])]
        times.append(rows["t"].astype(np.int64))
        values.append(rows["value"])
        jumps.append(_jumps(view, number, rows))
    return SpRows(np.concatenate(times), np.concatenate(values), np.concatenate(jumps))


def _jumps(view: LaneView, number: int, rows: Rows) -> Flags:
    """Return which writes of sp are no pushes or pops."""
    epoch = view.index.trace.epoch(number)
    by_instruction = rows["instruction"] != NEVER
    offsets = rows["instruction"][by_instruction].astype(np.int64) - epoch.start
    runs = np.searchsorted(epoch.run_start, offsets, "right") - 1
    instructions = epoch.blocks.first[epoch.run_block[runs]] + offsets - epoch.run_start[runs]
    jumps = np.ones(len(rows), np.bool_)
    jumps[by_instruction] = view.index.stack_code.pointer[instructions] != PointerWrite.FRAME
    return jumps


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
    return SpRows(np.array(times, np.int64), np.array(values, np.uint64), np.zeros(len(times), np.bool_))


def stack_depths(values: Numbers, jumps: Flags) -> Integers:
    """Return how far each value of sp, in order of time, lies below the top of its stack."""
    # Differences modulo 2**64, seen as signed numbers.
    steps = np.diff(values).view(np.int64)
    begins = np.concatenate([[True], np.abs(steps) > FRAME_LIMIT]) | jumps
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
