"""The replay screen over a trace that grows: keys that move the guest itself."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.worker import Worker, WorkerState

from tracedbg.session.live import LiveGuest
from tracedbg.session.session import Session
from tracedbg.tui.app import ReplayApp
from tracedbg.tui.help import Help
from tracedbg.tui.keys import KEYS, Key
from tracedbg.tui.prompt import Prompt, sentence

GUEST = "The guest itself"
LIVE_KEYS = (
    Key("x", "resume", "let it run to the next stop", GUEST),
    Key("S", "live_step(1)", "one single step", GUEST),
    Key("T", "live_step(1000)", "a thousand single steps", GUEST),
    Key("z", "interrupt", "stop it", GUEST),
    Key("H", "break", "set a breakpoint, or take it away", GUEST),
    Key("w", "watch_stores", "stop at stores to the selected bytes", GUEST),
    Key("y", "read", "read the page of the selected bytes", GUEST),
)
HINT = "? help  x run  S step  z stop  H break  w watch  y read  d f through time  i who  q detach and quit"
WORK = "live"


class LiveApp(ReplayApp):
    """Moves a guest in a thread, one move at a time, and shows the trace as it then is."""

    BINDINGS: ClassVar[list[BindingType]] = [key.binding for key in LIVE_KEYS]

    def __init__(self, session: Session, guest: LiveGuest, greeting: str = "") -> None:
        super().__init__(session)
        self._guest = guest
        self._greeting = greeting
        self._is_moving = False

    def compose(self) -> ComposeResult:
        """The panels, with another line of keys."""
        yield from super().compose()
        self._body.hint = HINT

    def on_mount(self) -> None:
        """Show where the guest stands, and the greeting."""
        super().on_mount()
        if self._greeting:
            self._body.answer.say(self._greeting)

    @property
    def warnings(self) -> tuple[str, ...]:
        """That the file is not finished is no news here."""
        return self.session.trace.warnings

    def _move(self, task: str, move: Callable[[], str]) -> None:
        if self._is_moving:
            self._body.answer.complain("the guest is busy: z stops it")
            return
        self._is_moving = True
        self._body.answer.start(task)
        self.run_worker(move, group=WORK, thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Show where the guest stands now, or what was in the way."""
        if event.worker.group != WORK or not event.worker.is_finished:
            return
        self._is_moving = False
        self.session.follow(self._guest.snapshot())
        self._examiner.forget()
        self._body.show(self.session.place)
        if event.state is WorkerState.SUCCESS:
            self._body.answer.say(str(event.worker.result))
        else:
            self._body.answer.complain(sentence(event.worker.error))

    def action_resume(self) -> None:
        """Let the guest run."""
        self._move("running, z stops it", self._guest.resume)

    def action_live_step(self, count: int) -> None:
        """Take single steps."""
        self._move("stepping", partial(self._guest.step, count))

    def action_interrupt(self) -> None:
        """Stop the guest."""
        self._guest.interrupt()

    def action_break(self) -> None:
        """Ask where."""
        if not self._is_moving:
            complete = self.session.complete
            self.push_screen(Prompt("breakpoint at", self._guest.toggle_break, complete), self._told)

    def _told(self, answer: str | None) -> None:
        if answer is not None:
            self._body.answer.say(answer)

    def action_watch_stores(self) -> None:
        """Watch the selected bytes."""
        self._move("setting a watchpoint", partial(self._guest.watch, self.session.place.selection))

    def action_read(self) -> None:
        """Read the page of the selected bytes."""
        self._move("reading", partial(self._guest.read, self.session.place.selection))

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(Help((*LIVE_KEYS, *KEYS)))
