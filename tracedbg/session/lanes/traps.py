"""Traps and system calls as marks on the timeline."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tracedbg.ids import Hart, Time
from tracedbg.kernel.call_names import CallNames, linux_banner
from tracedbg.session.lanes.lane import Lane, LaneView, labelled, marked

FEW_EPOCHS = 32
"""In traces of at most so many epochs all system calls are looked through for what names them."""
NAMED_CALLS = 64
"""Numbers are looked up for at most so many calls; more of them do not fit next to each other anyhow."""


def visible_traps(view: LaneView) -> NDArray[np.void]:
    """Return the TRAP rows whose handler begins in the view."""
    rows = view.index.traps
    low, high = np.searchsorted(rows["t"], [view.visible.start, view.visible.stop])
    return rows[low:high]


def is_call_from_user(view: LaneView, rows: NDArray[np.void]) -> NDArray[np.bool_]:
    """Return which traps are system calls."""
    cause = view.index.arch.user_calls.cause
    found: NDArray[np.bool_] = (rows["source"] == 0) & (rows["cause"] == cause)
    return found


class Traps:
    """One lane for all harts: E for an exception, I for an interrupt."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lane, unless nothing in the whole trace trapped."""
        if not len(view.index.traps):
            return []
        rows = visible_traps(view)
        is_interrupt = view.index.arch.is_interrupt
        letters = "".join("I" if is_interrupt(cause) else "E" for cause in rows["cause"].tolist())
        cells, kinds = marked(view, rows["t"].astype(np.int64), letters)
        return [Lane("traps", cells, kinds, note=f"{len(rows):,} traps in view")]


class SystemCalls:
    """One lane with the name or number of each system call where there is room, else their density."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lane, unless nothing in the whole trace called from user mode."""
        if not is_call_from_user(view, view.index.traps).any():
            return []
        rows = visible_traps(view)
        rows = rows[is_call_from_user(view, rows)]
        note = f"{len(rows):,} system calls in view"
        if len(rows) > NAMED_CALLS or not view.is_exact:
            cells, kinds = marked(view, rows["t"].astype(np.int64), "c" * len(rows))
        else:
            columns = view.columns(rows["t"]).tolist()
            cells, kinds = labelled(view, columns, [_text(view, row) for row in rows], "c")
        return [Lane("syscalls", cells, kinds, note=note)]


def _text(view: LaneView, row: np.void) -> str:
    number = call_number(view, row)
    if number is None:
        return "├?"
    names = _names(view)
    found = None if names is None else names.find(number)
    return f"├{number}" if found is None else f"├{found.name}"


def _names(view: LaneView) -> CallNames | None:
    """Return the names of calls, None where finding them would take long."""
    kernel = view.kernel
    if kernel is None:
        return None
    is_cheap = kernel.is_made("call_names") or view.index.trace.epochs <= FEW_EPOCHS
    return kernel.call_names if is_cheap or linux_banner(view.index) is not None else None


def call_number(view: LaneView, row: np.void) -> int | None:
    """Return the system call's number as the caller passed it, None where it is unknown."""
    track = view.index.track(view.index.arch.user_calls.number)
    t = int(row["last"])
    if track is None or t < view.index.trace.start:
        return None
    epoch = view.index.trace.epoch_of(Time(t))
    values, known = track.values_at(epoch, Hart(int(row["hart"])), np.array([t]))
    return int(values[0]) if known[0] else None
