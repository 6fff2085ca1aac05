"""The application: takes keys, has moves found in threads, and hands the new place to the panels."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.events import Resize
from textual.screen import Screen
from textual.widgets import Static
from textual.worker import Worker, WorkerState

from tracedbg.ids import Time
from tracedbg.session.place import Place, Selection, Watch
from tracedbg.session.running_context import Check
from tracedbg.session.session import Question, Session, Step
from tracedbg.tui.answer import AnswerLine
from tracedbg.tui.calls import CallsView
from tracedbg.tui.code import CodeView
from tracedbg.tui.console import ConsoleView
from tracedbg.tui.header import HeaderLine
from tracedbg.tui.help import Help
from tracedbg.tui.keys import HINT, KEYS
from tracedbg.tui.layout import arrange, timeline_rows
from tracedbg.tui.memory import MemoryView
from tracedbg.tui.moves import Move, MoveQueue, Outcome
from tracedbg.tui.panel import GivenUpError, Panel, give_up_if_cancelled
from tracedbg.tui.prompt import Prompt, sentence
from tracedbg.tui.registers import RegistersPanel
from tracedbg.tui.timeline import TimelinePanel

FIXED_ROWS = 4
"""Header, answer line (two rows) and key line."""


class ReplayApp(App[None]):
    """The replay screen of a session. Only handlers touch widgets and the session's place."""

    TITLE = "tracedbg"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [key.binding for key in KEYS]
    DEFAULT_CSS = """
    #body { height: 1fr; }
    #left, #right { width: 1fr; height: 1fr; }
    #hint { height: 1; color: $text-muted; padding: 0 1; }
    """

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._moves = MoveQueue()
        self._wanted_rows = 8
        self._return_to: Time | None = None

    def compose(self) -> ComposeResult:
        """The panels from top to bottom."""
        yield HeaderLine(self.session)
        yield TimelinePanel(self.session)
        with Horizontal(id="body"):
            with Vertical(id="left"):
                yield CodeView(self.session)
                yield RegistersPanel(self.session)
            with Vertical(id="right"):
                yield MemoryView(self.session)
                yield CallsView(self.session)
                yield ConsoleView(self.session)
        yield AnswerLine()
        yield Static(HINT, id="hint", markup=False)

    def on_mount(self) -> None:
        """Show the place that the session was opened at, and what was lost of the trace."""
        self._arrange()
        self.call_after_refresh(self._show)
        warnings = (*self.session.store.losses, *self.session.trace.warnings)
        if warnings:
            self._answer.complain("; ".join(warnings))

    @property
    def _answer(self) -> AnswerLine:
        return self.screen_stack[0].query_one(AnswerLine)

    def _panels(self) -> Iterable[Panel[object]]:
        return self.screen_stack[0].query(Panel).results()

    def _show(self) -> None:
        """Have every panel show the session's place."""
        for panel in self._panels():
            panel.ask(self.session.place)

    def on_resize(self, _: Resize) -> None:
        """Decide anew which panels there is room for."""
        self._arrange()

    def on_timeline_panel_grown(self, message: TimelinePanel.Grown) -> None:
        """Give the timeline the rows that its lanes need."""
        if message.rows != self._wanted_rows:
            self._wanted_rows = message.rows
            self._arrange()

    def _arrange(self) -> None:
        width, height = self.size
        rows = timeline_rows(self._wanted_rows, height, FIXED_ROWS)
        shown = arrange(width, height - FIXED_ROWS - rows)
        base = self.screen_stack[0]
        base.query_one(TimelinePanel).styles.height = rows
        base.query_one("#right").display = bool(shown.right)
        for panel in base.query_one("#body").query(Panel).results():
            given = {**shown.left, **shown.right}.get(panel.NAME, 0)
            panel.display = bool(given)
            panel.styles.height = given
        self.call_after_refresh(self._show)

    def on_panel_failed(self, message: Panel.Failed) -> None:
        """Say what went wrong in a panel's worker."""
        self._answer.complain(sentence(message.error))

    def on_timeline_panel_picked(self, message: TimelinePanel.Picked) -> None:
        """Move the cursor to where the timeline was clicked."""
        self._go(message.t)

    def _go(self, t: Time) -> None:
        self._return_to = self.session.place.t
        self.session.go(t)
        self._show()

    def _start(self, task: str, find: Callable[[Place, Check], Outcome]) -> None:
        """Have something found out in a thread, after what is under way."""
        move = self._moves.add(Move(task, find))
        if move is not None:
            self._run(move)

    def _run(self, move: Move) -> None:
        self._answer.start(move.task)
        work = partial(move.find, self.session.place, give_up_if_cancelled)
        self.run_worker(work, group="move", exclusive=True, thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take the outcome of a move, then run the next one."""
        if event.worker.group != "move" or event.state not in (WorkerState.SUCCESS, WorkerState.ERROR):
            return
        if event.worker.is_cancelled or self._moves.running is None:
            return
        self._answer.finish()
        if event.state is WorkerState.SUCCESS and event.worker.result is not None:
            self._take(event.worker.result)
        elif not isinstance(event.worker.error, GivenUpError):
            self._answer.complain(sentence(event.worker.error))
            self._moves.clear()
            return
        following = self._moves.next()
        if following is not None:
            self._run(following)

    def _take(self, outcome: Outcome) -> None:
        if outcome.answer:
            self._answer.say(outcome.answer)
        if outcome.t is not None:
            self._go(outcome.t)
        if isinstance(outcome.found, Selection):
            self.session.select(outcome.found)
            self._show()
        elif isinstance(outcome.found, Watch):
            self._watch(outcome.found)

    def action_step(self, name: str) -> None:
        """Step in time."""
        step = Step[name]

        def find(place: Place, check: Check) -> Outcome:
            t = self.session.step(step, place.t, check)
            return Outcome(t, f"{step.value}: t {t:,} ({t - place.t:+,})")

        self._start(step.value, find)

    def action_go(self, position: str) -> None:
        """Go to a position."""

        def find(_: Place, __: Check) -> Outcome:
            t = self.session.resolve(position)
            return Outcome(t, f"{position}: t {t:,}")

        self._start(position, find)

    def action_ask(self, name: str) -> None:
        """Go to an access of the selected bytes."""
        question = Question[name]

        def find(place: Place, _: Check) -> Outcome:
            access = self.session.ask(question, place)
            if access is None:
                return Outcome(None, f"{question.value} of {place.selection.text}: there is none in this trace")
            return Outcome(access.t, f"{place.selection.text} {self.session.answers.sentence(access)}")

        self._start(question.value, find)

    def action_who(self) -> None:
        """Say who wrote the selected bytes."""

        def find(place: Place, _: Check) -> Outcome:
            return Outcome(None, self.session.who(place))

        self._start("who wrote", find)

    def action_return_to(self) -> None:
        """Go back to where the last move began."""
        if self._return_to is not None:
            self._go(self._return_to)

    def action_jump(self) -> None:
        """Ask for a position."""
        self.push_screen(Prompt("jump to", self.session.resolve, self.session.complete), self._jumped)

    def _jumped(self, t: Time | None) -> None:
        if t is not None:
            self._answer.say(f"t {t:,}")
            self._go(t)

    def action_pick(self) -> None:
        """Ask for bytes to select."""
        parse = partial(self.session.find_bytes, self.session.place)
        self.push_screen(Prompt("select bytes at", parse, self.session.complete_bytes), self._picked)

    def _picked(self, selection: Selection | None) -> None:
        if selection is not None:
            self.session.select(selection)
            self._show()

    def _select(self, delta: int) -> None:
        shape = self.screen_stack[0].query_one(MemoryView).shape
        self.session.move_selection(delta, shape.rows * shape.width)
        self._show()

    def action_select(self, delta: int) -> None:
        """Move the selection by bytes."""
        self._select(delta)

    def action_select_rows(self, rows: int) -> None:
        """Move the selection by rows."""
        self._select(rows * self.screen_stack[0].query_one(MemoryView).shape.width)

    def action_select_pages(self, pages: int) -> None:
        """Move the selection by what the panel shows."""
        shape = self.screen_stack[0].query_one(MemoryView).shape
        self._select(pages * shape.rows * shape.width)

    def action_address_space(self) -> None:
        """Name the selected bytes by their other address."""

        def find(place: Place, _: Check) -> Outcome:
            found = self.session.in_other_space(place)
            return Outcome(None, f"{place.selection.text} is {found.text}", found)

        self._start("translating", find)

    def action_watch(self) -> None:
        """Give the selected bytes a lane, or take it away."""

        def find(place: Place, _: Check) -> Outcome:
            return Outcome(None, "", self.session.find_watch(place))

        self._start("translating", find)

    def _watch(self, watch: Watch) -> None:
        has_one = self.session.toggle_watch(watch)
        self._answer.say(f"{watch.name} has {'a' if has_one else 'no'} lane of its own")
        self._show()

    def action_zoom(self, factor: float) -> None:
        """Zoom the timeline around the cursor."""
        self.session.zoom(factor)
        self._show()

    def action_pan(self, share: float) -> None:
        """Move the timeline; the cursor stays."""
        self.session.pan(share)
        self._show()

    def action_show_all(self) -> None:
        """Show the whole trace, or the cursor's surroundings."""
        self.session.show_all()
        self._show()

    def action_bookmark(self) -> None:
        """Put a bookmark at the cursor, or take it away."""
        there = self.session.toggle_bookmark()
        self._answer.say(f"bookmark {'put at' if there else 'taken from'} t {self.session.place.t:,}")
        self._show()

    def action_next_bookmark(self) -> None:
        """Go to the next bookmark."""
        t = self.session.next_bookmark()
        if t is None:
            self._answer.complain("there is no bookmark: b puts one at the cursor")
        else:
            self._answer.say(f"bookmark at t {t:,}")
            self._go(t)

    def action_give_up(self) -> None:
        """Cancel the search that runs, and moves that wait for it."""
        if self._moves.running is not None:
            self._moves.clear()
            self.workers.cancel_group(self, "move")
            self._answer.say("given up")

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(Help())

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every key's action by name, and a pin and a fold for each lane."""
        for key in KEYS:
            if key.action not in ("command_palette", "give_up"):
                text = key.text[0].upper() + key.text[1:]
                yield SystemCommand(text, f"{key.group}: key {key.shown}", partial(self.run_action, key.action))
        yield from self._lane_commands()

    def _lane_commands(self) -> Iterable[SystemCommand]:
        snapshot = self.screen_stack[0].query_one(TimelinePanel).snapshot
        shown = [] if snapshot is None else [lane.name for lane in snapshot.lanes]
        for name in dict.fromkeys((*shown, *self.session.place.folded)):
            pin = partial(self._change_lane, self.session.toggle_pin, name)
            fold = partial(self._change_lane, self.session.toggle_fold, name)
            yield SystemCommand(f"Pin lane {name}", "Put it on top, or back into its place", pin)
            yield SystemCommand(f"Fold lane {name}", "Hide it, or show it again", fold)

    def _change_lane(self, change: Callable[[str], None], name: str) -> None:
        change(name)
        self._show()
