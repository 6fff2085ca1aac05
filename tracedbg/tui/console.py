"""What the guest has written up to t."""

from functools import partial

from textual.content import Content

from tracedbg.session.place import Place
from tracedbg.session.screen import console
from tracedbg.session.snapshots import ConsolePanel
from tracedbg.tui.panel import Job, Panel


class ConsoleView(Panel[ConsolePanel]):
    """The last lines."""

    NAME = "console"

    def job(self, place: Place) -> Job[ConsolePanel]:
        """The console of a place, as many lines as there is room for."""
        return partial(console, self.session, place, max(self.content_size.height, 1))

    def lines(self, snapshot: ConsolePanel) -> list[Content]:
        """One line a line."""
        return [Content(line) for line in snapshot.lines]
