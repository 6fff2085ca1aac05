"""Accesses of watched bytes: r for a load, w for a store, c for a change by anything else."""

from collections.abc import Sequence

import numpy as np

from tracedbg.ids import Epoch
from tracedbg.query import Kind, iter_accesses
from tracedbg.query.rows import ACCESS, join
from tracedbg.session.lanes.lane import Lane, LaneView, marked
from tracedbg.session.place import Watch
from tracedbg.store.spans import SpanData

LETTERS = {Kind.LOAD: "r", Kind.STORE: "w", Kind.CHANGE: "c"}
EPOCHS_READ = 2
"""Epochs whose accesses are looked through for a long stretch."""
MAYBE = "~"
"""A cell whose epochs touched the bytes; when exactly shows after zooming in."""


class Accesses:
    """A lane for each watch."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return one lane a watch, in order."""
        return [_lane(view, watch) for watch in view.watches]


def _lane(view: LaneView, watch: Watch) -> Lane:
    if not view.is_exact and not view.index.trace.guest.is_ram(watch.start):
        # Nothing short of reading every epoch tells who touched what is not RAM.
        return Lane(watch.name, " " * view.width, " " * view.width, exact=False, note="zoom in for a device")
    found = _touching_epochs(view, watch)
    if len(found) > EPOCHS_READ and not view.is_exact:
        cells = _coarse(view, found)
        note = f"{len(found):,} epochs touch {watch.name}: zoom in for the accesses"
        return Lane(watch.name, cells, cells, exact=False, note=note)
    between = (view.visible.start, view.visible.stop)
    rows = join(list(iter_accesses(view.index.trace, (watch.start, watch.size), between=between)), ACCESS)
    rows = rows[view.inside(rows["t"])]
    letters = "".join(LETTERS[Kind(kind)] for kind in rows["kind"].tolist())
    cells, kinds = marked(view, rows["t"].astype(np.int64), letters)
    return Lane(watch.name, cells, kinds, note=f"{len(rows):,} accesses in view")


def _touching_epochs(view: LaneView, watch: Watch) -> Sequence[int]:
    start, stop = watch.start, watch.start + watch.size

    def hit(span: SpanData) -> bool:
        return span.writes(start, stop) or span.reads(start, stop)

    epochs = view.epochs
    return list(view.index.trace.spans.candidates(epochs.start, epochs.stop, hit))


def _coarse(view: LaneView, epochs: Sequence[int]) -> str:
    cells = [" "] * view.width
    for number in epochs:
        epoch = view.index.trace.epoch(Epoch(number))
        bounds = np.clip([epoch.start, epoch.end - 1], view.visible.start, view.visible.stop - 1)
        first, last = view.columns(bounds).tolist()
        cells[first : last + 1] = MAYBE * (last + 1 - first)
    return "".join(cells)
