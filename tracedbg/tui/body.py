"""The panels of the screen, from top to bottom, and how they share a terminal's rows."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widget import Widget
from textual.widgets import Static

from tracedbg.session.place import Place
from tracedbg.session.session import Session
from tracedbg.tui.answer import AnswerLine
from tracedbg.tui.calls import CallsView
from tracedbg.tui.code import CodeView
from tracedbg.tui.console import ConsoleView
from tracedbg.tui.frames import FramesView
from tracedbg.tui.header import HeaderLine
from tracedbg.tui.keys import HINT
from tracedbg.tui.layout import arrange, timeline_rows
from tracedbg.tui.memory import MemoryView
from tracedbg.tui.panel import AnyPanel, Panel
from tracedbg.tui.registers import RegistersPanel
from tracedbg.tui.timeline import TimelinePanel

FIXED_ROWS = 4
"""Header, answer line (two rows) and key line."""
FIRST_TIMELINE_ROWS = 8


class Body(Widget):
    """Everything that is always there; dialogs lie above it."""

    DEFAULT_CSS = """
    Body { height: 1fr; layout: vertical; }
    Body #panels { height: 1fr; }
    Body #left, Body #right { width: 1fr; height: 1fr; }
    Body #hint { height: 1; color: $text-muted; padding: 0 1; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__(id="body")
        self._session = session
        self._timeline_rows = FIRST_TIMELINE_ROWS
        self.hint = HINT

    def compose(self) -> ComposeResult:
        """The panels from top to bottom."""
        yield HeaderLine(self._session)
        yield TimelinePanel(self._session)
        with Horizontal(id="panels"):
            with Vertical(id="left"):
                yield FramesView(self._session)
                yield CodeView(self._session)
                yield RegistersPanel(self._session)
            with Vertical(id="right"):
                yield MemoryView(self._session)
                yield CallsView(self._session)
                yield ConsoleView(self._session)
        yield AnswerLine()
        yield Static(self.hint, id="hint", markup=False)

    @property
    def answer(self) -> AnswerLine:
        """The line for answers."""
        return self.query_one(AnswerLine)

    @property
    def memory(self) -> MemoryView:
        """The panel of bytes."""
        return self.query_one(MemoryView)

    @property
    def lanes(self) -> tuple[str, ...]:
        """The names of the lanes that are shown."""
        snapshot = self.query_one(TimelinePanel).snapshot
        return () if snapshot is None else tuple(lane.name for lane in snapshot.lanes)

    @property
    def panels(self) -> Iterable[AnyPanel]:
        """All panels that show snapshots."""
        return self.query(Panel).results()

    def show(self, place: Place) -> None:
        """Have every panel show a place."""
        for panel in self.panels:
            panel.ask(place)

    def show_progress(self, place: Place) -> None:
        """Have those panels show a place that tell how far an examination is."""
        self.query_one(HeaderLine).ask(place)
        self.query_one(FramesView).ask(place)

    def on_timeline_panel_grown(self, message: TimelinePanel.Grown) -> None:
        """Give the timeline the rows that its lanes need."""
        if message.rows != self._timeline_rows:
            self._timeline_rows = message.rows
            self.on_resize()

    def on_resize(self) -> None:
        """Decide anew which panels there is room for; those that get another size ask again by themselves."""
        width, height = self.size
        rows = timeline_rows(self._timeline_rows, height, FIXED_ROWS)
        shown = arrange(width, height - FIXED_ROWS - rows)
        self.query_one(TimelinePanel).styles.height = rows
        self.query_one("#right").display = bool(shown.right)
        given = {**shown.left, **shown.right}
        for panel in self.query_one("#panels").query(Panel).results():
            panel.display = panel.NAME in given
            panel.styles.height = given.get(panel.NAME, 0)
