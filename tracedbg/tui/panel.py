"""What all panels share: a worker makes a frozen snapshot, a handler takes it, rendering only reads it."""

from collections.abc import Callable
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar

from textual.content import Content
from textual.events import Resize
from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker, WorkerState, get_current_worker

from tracedbg.session.place import Place
from tracedbg.session.session import Session
from tracedbg.tui.paint import BUSY, stack

Snapshot = TypeVar("Snapshot")

Job = Callable[[], Snapshot]


class GivenUpError(Exception):
    """A newer request has made this work useless."""


def give_up_if_cancelled() -> None:
    """The check that long work in a thread calls now and then."""
    if get_current_worker().is_cancelled:
        raise GivenUpError


class Panel(Widget, Generic[Snapshot]):
    """A part of the screen that shows snapshots of one kind.

    ``ask`` starts a thread that makes a snapshot for a place; a newer request cancels an older one. While
    it runs the title carries a sign. An error goes to the application as ``Failed``.
    """

    DEFAULT_CSS = """
    Panel { border-top: solid $surface-lighten-2; border-title-color: $text-muted; padding: 0 1 0 0; }
    """

    NAME: ClassVar[str] = "panel"

    class Failed(Message):
        """Making a snapshot failed."""

        def __init__(self, error: BaseException) -> None:
            super().__init__()
            self.error = error

    class Settled(Message):
        """A snapshot has been taken; what is on the screen belongs to the place asked for last."""

    def __init__(self, session: Session, name: str | None = None) -> None:
        super().__init__(id=name or self.NAME)
        self.session = session
        self.snapshot: Snapshot | None = None
        self.is_busy = False
        self._place: Place | None = None

    def job(self, place: Place) -> Job[Snapshot]:
        """Return what makes the snapshot; it runs in a thread and must not touch the widget."""
        raise NotImplementedError

    def lines(self, snapshot: Snapshot) -> list[Content]:
        """Return what is shown of a snapshot, a content for each line."""
        raise NotImplementedError

    def title(self, snapshot: Snapshot | None) -> str:
        """Return the title."""
        return self.NAME

    def ask(self, place: Place) -> None:
        """Have the panel show a place."""
        self._place = place
        if not self.display or not self.size.area:
            return
        self._set_busy(True)
        self.run_worker(self.job(place), group=self.NAME, exclusive=True, thread=True, exit_on_error=False)

    def on_resize(self, _: Resize) -> None:
        """Ask again: how much is shown depends on the size."""
        if self._place is not None:
            self.ask(self._place)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take the snapshot of a worker that has finished, or pass on its error."""
        if event.worker.group != self.NAME:
            return
        snapshot: Snapshot | None = event.worker.result
        if event.state is WorkerState.SUCCESS and snapshot is not None:
            self.snapshot = snapshot
            self.taken(snapshot)
            self._set_busy(False)
            self.post_message(self.Settled())
        elif event.state is WorkerState.ERROR:
            self._set_busy(False)
            error = event.worker.error
            if error is not None and not isinstance(error, GivenUpError):
                self.post_message(self.Failed(error))

    def taken(self, snapshot: Snapshot) -> None:
        """Do what a new snapshot asks for besides showing it."""

    def _set_busy(self, busy: bool) -> None:
        self.is_busy = busy
        self.border_title = self.title(self.snapshot) + (f" {BUSY}" if busy else "")
        self.refresh()

    def render(self) -> Content:
        """The lines of the snapshot, cut to the panel."""
        if self.snapshot is None:
            return Content("")
        width, height = self.content_size
        shown = self.lines(self.snapshot)[: max(height, 0)]
        return stack(line.truncate(width, ellipsis=True) for line in shown)


AnyPanel: TypeAlias = Panel[Any]
