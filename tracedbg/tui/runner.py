"""Runs moves one after the other: a key pressed faster than its answer comes loses nothing."""

from collections import deque
from functools import partial

from textual.message import Message
from textual.widget import Widget
from textual.worker import Worker, WorkerState

from tracedbg.session.session import Session
from tracedbg.tui.moves import Move, Outcome
from tracedbg.tui.panel import GivenUpError, give_up_if_cancelled

WAITING = 32
"""Moves that wait at most; a key held down longer than that has gone too far anyhow."""
GROUP = "move"


class MoveRunner(Widget):
    """Has no looks. Each move starts from the place that the one before led to."""

    DEFAULT_CSS = "MoveRunner { display: none; }"

    class Started(Message):
        """A move is being worked on."""

        def __init__(self, task: str) -> None:
            super().__init__()
            self.task = task

    class Ended(Message):
        """A move has its outcome; the runner goes on when ``go_on`` is called."""

        def __init__(self, outcome: Outcome) -> None:
            super().__init__()
            self.outcome = outcome

    class Failed(Message):
        """A move failed; those that waited for it are forgotten."""

        def __init__(self, error: BaseException) -> None:
            super().__init__()
            self.error = error

    def __init__(self, session: Session) -> None:
        super().__init__(id="moves")
        self._session = session
        self._waiting: deque[Move] = deque()
        self.running: Move | None = None

    def start(self, move: Move) -> None:
        """Run a move, now or after those before it."""
        if self.running is not None:
            if len(self._waiting) < WAITING:
                self._waiting.append(move)
            return
        self.running = move
        self.post_message(self.Started(move.task))
        work = partial(move.find, self._session.place, give_up_if_cancelled)
        self.run_worker(work, group=GROUP, exclusive=True, thread=True, exit_on_error=False)

    def go_on(self) -> None:
        """Run the next move, if one waits."""
        self.running = None
        if self._waiting:
            self.start(self._waiting.popleft())

    def give_up(self) -> bool:
        """Cancel what runs and forget what waits; returns whether there was anything."""
        busy = self.running is not None
        self._waiting.clear()
        self.running = None
        self.workers.cancel_group(self, GROUP)
        return busy

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Tell how a move ended, unless it was given up."""
        if self.running is None or event.worker.is_cancelled:
            return
        if event.state is WorkerState.SUCCESS and event.worker.result is not None:
            self.post_message(self.Ended(event.worker.result))
        elif event.state is WorkerState.ERROR and event.worker.error is not None:
            self._waiting.clear()
            self.running = None
            if not isinstance(event.worker.error, GivenUpError):
                self.post_message(self.Failed(event.worker.error))
