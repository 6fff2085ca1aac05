"""The first line: what was recorded, how it ended, where the cursor is."""

from functools import partial

from textual.content import Content

from tracedbg.session.place import Place
from tracedbg.session.screen import header
from tracedbg.session.snapshots import Header
from tracedbg.tui.panel import Job, Panel


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
        """File, machine, ending; moment."""
        left = f" {snapshot.file}  {snapshot.machine}, {snapshot.ending}"
        room = self.content_size.width - len(snapshot.position) - 1
        shown = left[: max(room - 1, 0)] if len(left) < room else left[: max(room - 2, 0)] + "…"
        return [Content.assemble(shown.ljust(max(room, 0)), (snapshot.position, "bold"))]
