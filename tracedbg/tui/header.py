"""The first line: what was recorded, how it ended, what was found, where the cursor is."""

from functools import partial

from textual.content import Content

from tracedbg.session.place import Place
from tracedbg.session.screen import header
from tracedbg.session.snapshots import Header
from tracedbg.tui import paint
from tracedbg.tui.panel import Job, Panel

LEAST_LEFT = 14
"""Columns that the file's name keeps; without them what was found is left out."""


class HeaderLine(Panel[Header]):
    """One line; the moment stands at the right and stays when the rest has no room."""

    NAME = "header"
    DEFAULT_CSS = "HeaderLine { height: 1; border: none; background: $panel; }"

    def job(self, place: Place) -> Job[Header]:
        """The header of a place."""
        return partial(header, self.session, place)

    def title(self, snapshot: Header | None) -> str:
        """None: there is no border."""
        return ""

    def lines(self, snapshot: Header) -> list[Content]:
        """File, machine, ending; what was found; moment."""
        width = self.content_size.width
        found = f"{snapshot.analysis}  "
        if len(found) + len(snapshot.position) + LEAST_LEFT > width:
            found = ""
        room = width - len(found) - len(snapshot.position) - 1
        left = f" {snapshot.file}  {snapshot.machine}, {snapshot.ending}"
        shown = left[: max(room - 1, 0)] if len(left) < room else left[: max(room - 2, 0)] + "…"
        return [
            Content.assemble(
                shown.ljust(max(room, 0)), (found, paint.CHANGED), (snapshot.position, paint.CURRENT)
            )
        ]
