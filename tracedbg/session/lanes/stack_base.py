"""Where the stack in use ends: whether its lowest address is known, and where sp is below it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tracedbg.kernel.contexts import NO_CONTEXT
from tracedbg.query.rows import Rows
from tracedbg.session.examination import Examination
from tracedbg.session.lanes.lane import Lane, LaneView
from tracedbg.session.lanes.stack_depth import sp_rows
from tracedbg.session.stack_bases import StackBases
from tracedbg.store.source import Integers, Numbers

NONE, UNKNOWN, ABOVE_INFERRED, ABOVE, BELOW_INFERRED, BELOW = range(6)
"""What a cell shows, the more important the higher."""
CELLS = " ·┄─▽▼"
KINDS = " obb^!"
ABOVE_LEVELS = np.array([UNKNOWN, ABOVE_INFERRED, ABOVE])
BELOW_LEVELS = np.array([NONE, BELOW_INFERRED, BELOW])
"""By the Certainty of a base."""


@dataclass(frozen=True)
class _Stretches:
    """Stretches of time, from the first t of each to the first after it, and the level of their cells."""

    start: Integers
    stop: Integers
    level: Integers


@dataclass(frozen=True)
class _Stints:
    """STINT rows; for each its stack's base, that one's Certainty, and how low its context went."""

    rows: Rows
    base: Numbers
    certainty: Integers
    low: Numbers


class StackBase:
    """One lane, for the hart that the view is seen from, as soon as the kernel's history is there."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lane, unless the base of no stack in the whole trace is known."""
        if view.examination.view is None:
            return []
        bases = StackBases(view.examination)
        if bases.is_empty:
            return []
        rows, context = _stints(view, view.examination)
        stints = _Stints(rows, *bases.of_contexts(context), _lowest(view.examination, context))
        levels = np.zeros(view.width, np.int64)
        _mark(view, levels, _Stretches(rows["t"], rows["stop"], ABOVE_LEVELS[stints.certainty]))
        below, is_exact = _below(view, stints)
        _mark(view, levels, below)
        cells = "".join(CELLS[level] for level in levels.tolist())
        kinds = "".join(KINDS[level] for level in levels.tolist())
        return [Lane("stack base", cells, kinds, exact=is_exact, note=bases.note(context))]


def _lowest(examination: Examination, numbers: Integers) -> Numbers:
    """Return the lowest stack pointer of each context."""
    assert examination.view is not None
    contexts = examination.view.history.contexts
    unique, places = np.unique(numbers, return_inverse=True)
    return np.array([contexts[number].low for number in unique.tolist()], np.uint64)[places]


def _stints(view: LaneView, examination: Examination) -> tuple[Rows, Integers]:
    """Return the hart's stints outside user mode that reach into the view, and their contexts."""
    assert examination.view is not None
    history = examination.view.history
    first, last = (int(number) for number in (view.epochs[0], view.epochs[-1]))
    low, high = history.bounds(first)[0], history.bounds(last)[1]
    rows, context = history.stints[low:high], history.context_of[low:high]
    own = (rows["hart"] == view.hart) & (context != NO_CONTEXT) & rows["known"]
    own &= (rows["stop"] > view.visible.start) & (rows["t"] < view.visible.stop)
    return rows[own], context[own]


def _below(view: LaneView, stints: _Stints) -> tuple[_Stretches, bool]:
    """Return when sp is below the base, and whether that is exact.

    In a long view a whole stint counts that goes below it somewhere.
    """
    rows, level = stints.rows, BELOW_LEVELS[stints.certainty]
    deep = (level > NONE) & (rows["low"] < stints.base)
    track = view.index.track(view.index.sp_name)
    if not deep.any() or track is None or not view.is_exact:
        return _Stretches(rows["t"][deep], rows["stop"][deep], level[deep]), not deep.any()
    pointer = sp_rows(view, track)
    times = np.unique(np.concatenate([pointer.t, rows["t"], rows["stop"]]))
    times = times[times >= pointer.t[0]] if len(pointer.t) else times[:0]
    sp = pointer.value[np.searchsorted(pointer.t, times, "right") - 1]
    place = np.maximum(np.searchsorted(rows["t"], times, "right") - 1, 0)
    inside = (times >= rows["t"][place]) & (times < rows["stop"][place]) & (level[place] > NONE)
    # Below the lowest address that this use of the stack reached, sp is still someone else's.
    below = (inside & (sp < stints.base[place]) & (sp >= stints.low[place]))[:-1]
    return _Stretches(times[:-1][below], times[1:][below], level[place][:-1][below]), True


def _mark(view: LaneView, levels: Integers, stretches: _Stretches) -> None:
    """Raise the cells that stretches of time touch to their level, in place."""
    start, stop = stretches.start, stretches.stop
    inside = (stop > view.visible.start) & (start < view.visible.stop) & (stop > start)
    first = view.columns(np.maximum(start[inside], view.visible.start))
    last = view.columns(np.minimum(stop[inside], view.visible.stop) - 1)
    level = stretches.level[inside]
    for value in np.unique(level).tolist():
        own = level == value
        steps = np.zeros(view.width + 1, np.int64)
        np.add.at(steps, first[own], 1)
        np.add.at(steps, last[own] + 1, -1)
        covered = np.cumsum(steps)[:-1] > 0
        levels[covered] = np.maximum(levels[covered], value)
