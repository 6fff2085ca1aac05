"""Physical memory around the stack pointer and the selected bytes, drawn with addresses going up."""

from functools import partial

from textual.content import Content

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.session.place import Place
from tracedbg.session.screen import frames
from tracedbg.session.snapshots import FrameMap, FrameRow
from tracedbg.tui import paint
from tracedbg.tui.panel import Job, Panel

GAUGE = 8
"""Cells that stand for the bytes of a frame, its lowest address first."""
LIVE, DEAD = "█", "·"
GAP = "⋮"


class FramesView(Panel[FrameMap]):
    """A line a frame: which of sp and the selection is in it, the live part of a stack, the owner."""

    NAME = "frames"

    def job(self, place: Place) -> Job[FrameMap]:
        """The frames of a place, as many as there is room for."""
        return partial(frames, self.session, place, max(self.content_size.height, 1))

    def title(self, snapshot: FrameMap | None) -> str:
        """Where sp and the selection are in physical memory."""
        if snapshot is None:
            return "physical map"
        named = (("sp", snapshot.stack_pointer), ("▶", snapshot.selected))
        shown = [f"{name} {address:x}" for name, address in named if address is not None]
        return "  ".join(["physical map", *shown])

    def lines(self, snapshot: FrameMap) -> list[Content]:
        """The frames, or why there are none."""
        if not snapshot.rows:
            return [Content.assemble((snapshot.note, paint.NOTE))]
        return [_line(row, snapshot) for row in snapshot.rows]


def _line(row: FrameRow | None, snapshot: FrameMap) -> Content:
    if row is None:
        return Content.assemble((f"   {GAP}", paint.NOTE))
    sp = "sp" if _is_in(row, snapshot.stack_pointer) else "  "
    chosen = "▶" if _is_in(row, snapshot.selected) else " "
    return Content.assemble(
        (sp, paint.CHANGED),
        (chosen, paint.CURRENT),
        (f"{row.address:08x} ", paint.LABEL),
        (gauge(row.live), paint.LIVE),
        f" {row.owner}",
    )


def _is_in(row: FrameRow, address: int | None) -> bool:
    return address is not None and row.address <= address < row.address + PAGE_SIZE


def gauge(live: tuple[tuple[int, int], ...] | None) -> str:
    """A cell for each eighth of a frame that is a stack's: full where a byte of it is live."""
    if live is None:
        return " " * GAUGE
    step = PAGE_SIZE // GAUGE
    starts = range(0, PAGE_SIZE, step)
    return "".join(
        LIVE if any(low < start + step and high > start for low, high in live) else DEAD for start in starts
    )
