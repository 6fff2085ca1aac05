"""Has a trace examined in a thread, tells how far it is, and stops when the screen closes."""

from threading import Event
from time import monotonic

from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from tracedbg.session.examination import AT_ONCE, Examination, Stage, examine
from tracedbg.session.session import Session
from tracedbg.tui.panel import GivenUpError

GROUP = "examination"
TOLD_EVERY = 0.25
"""Seconds between two messages on one stage."""


class Examiner(Widget):
    """Has no looks. Begins by itself where that does not take long."""

    DEFAULT_CSS = "Examiner { display: none; }"

    class Changed(Message):
        """The examination got further, or has ended."""

        def __init__(self, examination: Examination) -> None:
            super().__init__()
            self.examination = examination

    class Failed(Message):
        """There is a bug in the examination."""

        def __init__(self, error: BaseException) -> None:
            super().__init__()
            self.error = error

    def __init__(self, session: Session) -> None:
        super().__init__(id="examiner")
        self._session = session
        self._stop = Event()
        self._told = (Stage.WAITING, "", 0.0)
        self.is_busy = False

    def on_mount(self) -> None:
        """Begin, unless the trace is long or has been examined."""
        store = self._session.store
        if self._session.examination.stage is Stage.WAITING and store.end - store.start <= AT_ONCE:
            self.start()

    def on_unmount(self) -> None:
        """Have the thread give up."""
        self._stop.set()

    def start(self) -> None:
        """Begin, unless it runs already."""
        if not self.is_busy:
            self.is_busy = True
            self.run_worker(self._examine, group=GROUP, thread=True, exit_on_error=False)

    def _examine(self) -> Examination:
        return examine(self._session.trace, self._tell, self._check)

    def _check(self) -> None:
        if self._stop.is_set():
            raise GivenUpError

    def _tell(self, examination: Examination) -> None:
        self._check()
        stage, task, when = self._told
        is_new = (examination.stage, examination.task) != (stage, task)
        if is_new or monotonic() - when > TOLD_EVERY:
            self._told = (examination.stage, examination.task, monotonic())
            self.post_message(self.Changed(examination))

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Pass on how it ended."""
        if event.state is WorkerState.SUCCESS and event.worker.result is not None:
            self.is_busy = False
            self.post_message(self.Changed(event.worker.result))
        elif event.state is WorkerState.ERROR and event.worker.error is not None:
            self.is_busy = False
            if not isinstance(event.worker.error, GivenUpError):
                self.post_message(self.Failed(event.worker.error))
