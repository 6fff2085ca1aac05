"""Which task each hart works for, once somebody has found that out."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np

from tracedbg.kernel.tasks import Task, Tasks
from tracedbg.session.lanes.lane import Lane, LaneView, fitted

NOBODY = " "


class TaskLanes:
    """A lane for each hart with the names of its tasks; what runs at a cell's beginning counts for it."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lanes, none until somebody has looked for tasks: that takes a pass over the trace."""
        kernel = view.kernel
        if kernel is None or not kernel.is_made("task_times") or not kernel.is_made("tasks"):
            return []
        harts = range(view.index.trace.guest.harts)
        return [_lane(view, kernel.task_times, kernel.tasks, hart) for hart in harts]


def _lane(view: LaneView, times: Tasks, tasks: Sequence[Task], hart: int) -> Lane:
    starts = view.edges[:-1]
    numbers = times.numbers_at(np.full(len(starts), hart), starts).tolist()
    cells = "".join(_label(number, len(list(group)), tasks) for number, group in groupby(numbers))
    rows = times.intervals
    inside = (rows["hart"] == hart) & (rows["stop"] > view.visible.start) & (rows["t"] < view.visible.stop)
    shown = sum(1 for _ in groupby(numbers))
    name = "task" if view.index.trace.guest.harts == 1 else f"task {hart}"
    note = f"{len(np.unique(rows['task'][inside])):,} tasks in view"
    return Lane(name, cells, _kinds(numbers), exact=shown >= int(inside.sum()), note=note)


def _label(number: int, width: int, tasks: Sequence[Task]) -> str:
    if not number:
        return NOBODY * width
    name = tasks[number - 1].name
    text = f"├{number}" if name is None else f"├{number} {name.text}"
    return fitted(text, width).ljust(width)


def _kinds(numbers: Sequence[int]) -> str:
    return "".join("t" if number % 2 else "c" if number else NOBODY for number in numbers)
