"""Has a trace examined in a thread, tells how far it is, and stops when the screen closes."""

from functools import partial
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
        """The examination got further, or has ended; ``stop`` is the event that it listens to."""

        def __init__(self, examination: Examination, stop: Event) -> None:
            super().__init__()
            self.examination = examination
            self.stop_event = stop

    class Failed(Message):
        """There is a bug in the examination."""

        def __init__(self, error: BaseException) -> None:
            super().__init__()
            self.error = error

    def __init__(self, session: Session) -> None:
        super().__init__(id="examiner")
        self._session = session
        self._stop = Event()
        self._worker: Worker[Examination] | None = None
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
            work = partial(self._examine, self._stop)
            self._worker = self.run_worker(work, group=GROUP, thread=True, exit_on_error=False)

    def forget(self) -> None:
        """The trace has become longer: give up what is under way, and keep only the kernel's view so far."""
        self._stop.set()
        self._stop, self._worker, self.is_busy = Event(), None, False
        self._session.examination = Examination(view=self._session.examination.view)

    def _examine(self, stop: Event) -> Examination:
        return examine(self._session.trace, partial(self._tell, stop), partial(self._check, stop))

    def _check(self, stop: Event) -> None:
        if stop.is_set():
            raise GivenUpError

    def _tell(self, stop: Event, examination: Examination) -> None:
        self._check(stop)
        stage, task, when = self._told
        is_new = (examination.stage, examination.task) != (stage, task)
        if is_new or monotonic() - when > TOLD_EVERY:
            self._told = (examination.stage, examination.task, monotonic())
            self.post_message(self.Changed(examination, stop))

    def on_examiner_changed(self, message: Changed) -> None:
        """Keep back what was told of the trace as it was before."""
        if message.stop_event is not self._stop:
            message.stop()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Pass on how it ended."""
        if event.worker is not self._worker:
            return
        if event.state is WorkerState.SUCCESS and event.worker.result is not None:
            self.is_busy = False
            self.post_message(self.Changed(event.worker.result, self._stop))
        elif event.state is WorkerState.ERROR and event.worker.error is not None:
            self.is_busy = False
            if not isinstance(event.worker.error, GivenUpError):
                self.post_message(self.Failed(event.worker.error))
