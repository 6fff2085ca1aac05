"""The timeline across the width: the spine of the screen."""

from functools import partial

from textual.content import Content
from textual.events import Click
from textual.message import Message

from tracedbg.ids import Time
from tracedbg.session.lanes import Lane
from tracedbg.session.place import Place
from tracedbg.session.screen import timeline
from tracedbg.session.timeline import Timeline
from tracedbg.tui import paint
from tracedbg.tui.panel import Job, Panel, give_up_if_cancelled

LABEL_WIDTH = 14
FEWEST_COLUMNS = 8
CURSOR = "┃"
BOOKMARK = "◆"


class TimelinePanel(Panel[Timeline]):
    """Overview, lanes, and a ruler that marks cursor and bookmarks. A click moves the cursor."""

    NAME = "timeline"
    DEFAULT_CSS = "TimelinePanel { height: 8; }"

    class Picked(Message):
        """A moment was clicked at."""

        def __init__(self, t: Time) -> None:
            super().__init__()
            self.t = t

    class Grown(Message):
        """The timeline wants a different number of rows."""

        def __init__(self, rows: int) -> None:
            super().__init__()
            self.rows = rows

    def job(self, place: Place) -> Job[Timeline]:
        """The timeline of a place in as many columns as there is room for."""
        width = max(self.content_size.width - LABEL_WIDTH, FEWEST_COLUMNS)
        return partial(timeline, self.session, place, width, give_up_if_cancelled)

    def title(self, snapshot: Timeline | None) -> str:
        """The stretch of time that the lanes show."""
        if snapshot is None:
            return "timeline"
        return f"timeline  t {snapshot.visible.start:,} … {snapshot.visible.stop:,}"

    def taken(self, snapshot: Timeline) -> None:
        """Ask for as many rows as there are lanes."""
        self.post_message(self.Grown(len(snapshot.lanes) + 3))

    def lines(self, snapshot: Timeline) -> list[Content]:
        """Overview, ruler, lanes; lanes without room are counted in the ruler."""
        hidden = max(len(snapshot.lanes) - (self.content_size.height - 2), 0)
        shown = snapshot.lanes[: len(snapshot.lanes) - hidden]
        ruler = self._ruler(snapshot, hidden)
        return [self._overview(snapshot), *(self._lane(snapshot, lane) for lane in shown), ruler]

    def _overview(self, snapshot: Timeline) -> Content:
        first, last = snapshot.window
        text = list(snapshot.overview.cells)
        if last - first >= 2:
            text[first], text[last] = "[", "]"
        marks = dict.fromkeys((first, last) if last - first >= 2 else range(first, last + 1), paint.WINDOW)
        return Content.assemble(
            (_label("overview"), paint.LABEL), paint.cells("".join(text), snapshot.overview.kinds, marks)
        )

    @staticmethod
    def _lane(snapshot: Timeline, lane: Lane) -> Content:
        label = _label(lane.name if lane.exact else f"{lane.name} ~")
        marks = {snapshot.cursor: paint.CURSOR}
        return Content.assemble((label, paint.LABEL), paint.cells(lane.cells, lane.kinds, marks))

    @staticmethod
    def _ruler(snapshot: Timeline, hidden: int) -> Content:
        text = ["·" if column % 10 == 0 else " " for column in range(snapshot.width)]
        for column, _ in snapshot.bookmarks:
            text[column] = BOOKMARK
        text[snapshot.cursor] = CURSOR
        label = _label(f"+{hidden} lanes" if hidden else "cursor")
        return Content.assemble((label, paint.LABEL), ("".join(text), "bold"))

    def on_click(self, event: Click) -> None:
        """Move the cursor: in the overview through the whole trace, below it through what is visible."""
        place = event.get_content_offset(self)
        if self.snapshot is None or place is None or place.x < LABEL_WIDTH:
            return
        column = min(place.x - LABEL_WIDTH, self.snapshot.width - 1)
        self.post_message(self.Picked(self._time(self.snapshot, column, in_overview=place.y == 0)))

    def _time(self, snapshot: Timeline, column: int, *, in_overview: bool) -> Time:
        if not in_overview:
            return snapshot.time_of(column)
        trace = self.session.trace
        return Time(trace.start + column * (trace.end - trace.start) // snapshot.width)


def _label(text: str) -> str:
    return f"{text[: LABEL_WIDTH - 1]:<{LABEL_WIDTH}}"
