"""The call stack, innermost frame first."""

from functools import partial

from textual.content import Content

from tracedbg.session.place import Place
from tracedbg.session.screen import calls
from tracedbg.session.snapshots import CallPanel, CallRow
from tracedbg.tui import paint
from tracedbg.tui.panel import Job, Panel


class CallsView(Panel[CallPanel]):
    """A line for each frame; how it was found stands in brackets where that is uncertain."""

    NAME = "calls"

    def job(self, place: Place) -> Job[CallPanel]:
        """The call stack of a place, as many frames as there is room for."""
        return partial(calls, self.session, place, max(self.content_size.height, 1))

    def title(self, snapshot: CallPanel | None) -> str:
        """How many frames there is no room for."""
        return f"call stack  {snapshot.note}".rstrip() if snapshot is not None else "call stack"

    def lines(self, snapshot: CallPanel) -> list[Content]:
        """One line a frame."""
        return [_line(row) for row in snapshot.rows]


def _line(row: CallRow) -> Content:
    found = f" [{row.how}]" if row.how else ""
    return Content.assemble(
        (f"{row.number:>2} ", paint.LABEL),
        row.function,
        (f"  {row.place}", paint.SOURCE),
        (f"  {row.frame}{found}", paint.NOTE),
    )
