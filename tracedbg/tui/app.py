"""The application: takes keys, has moves found in threads, and hands the new place to the panels."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from tracedbg.ids import Time
from tracedbg.session import marks
from tracedbg.session.evidence import FindingRow, find_counterpart
from tracedbg.session.place import Place, Selection, Watch
from tracedbg.session.selecting import with_moved_selection, with_selection
from tracedbg.session.session import Question, Session, Step
from tracedbg.tui import moves
from tracedbg.tui.body import Body
from tracedbg.tui.commands import key_commands, lane_commands
from tracedbg.tui.examiner import Examiner
from tracedbg.tui.findings import Findings
from tracedbg.tui.help import Help
from tracedbg.tui.keys import KEYS
from tracedbg.tui.panel import Panel
from tracedbg.tui.prompt import Prompt, sentence
from tracedbg.tui.runner import MoveRunner
from tracedbg.tui.timeline import TimelinePanel


class ReplayApp(App[None]):
    """The replay screen of a session. Only handlers, here, swap the session's place."""

    TITLE = "tracedbg"
    BINDINGS: ClassVar[list[BindingType]] = [key.binding for key in KEYS]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._body = Body(session)
        self._runner = MoveRunner(session)
        self._examiner = Examiner(session)

    def compose(self) -> ComposeResult:
        """The panels, what runs moves, and what examines the trace."""
        yield self._body
        yield self._runner
        yield self._examiner

    def on_mount(self) -> None:
        """Show the place that the session was opened at, and what is wrong with the trace."""
        self._body.show(self.session.place)
        if self.warnings:
            self._body.answer.complain("; ".join(self.warnings))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is wrong with the trace, in sentences."""
        return (*self.session.store.losses, *self.session.trace.warnings)

    def _change(self, change: Callable[[Place], Place]) -> None:
        self.session.place = change(self.session.place)
        self._body.show(self.session.place)

    def _go(self, t: Time) -> None:
        self.session.go(t)
        self._body.show(self.session.place)

    def on_panel_failed(self, message: Panel.Failed) -> None:
        """Say what went wrong in a panel's worker."""
        self._body.answer.complain(sentence(message.error))

    def on_timeline_panel_picked(self, message: TimelinePanel.Picked) -> None:
        """Move the cursor to where the timeline was clicked; what is still being looked for is given up."""
        self._runner.give_up()
        self._body.answer.say(f"t {message.t:,}")
        self._go(message.t)

    def on_move_runner_started(self, message: MoveRunner.Started) -> None:
        """Show that something is being looked for."""
        self._body.answer.start(message.task)

    def on_move_runner_ended(self, message: MoveRunner.Ended) -> None:
        """Take the outcome of a move, then have the next one run."""
        outcome = message.outcome
        self._body.answer.say(outcome.answer)
        if outcome.t is not None:
            self._go(outcome.t)
        if isinstance(outcome.found, Selection):
            self._change(partial(with_selection, selection=outcome.found))
        elif isinstance(outcome.found, Watch):
            self._watch(outcome.found)
        self._runner.go_on()

    def on_move_runner_failed(self, message: MoveRunner.Failed) -> None:
        """Say why there is no answer."""
        self._body.answer.complain(sentence(message.error))

    def _watch(self, watch: Watch) -> None:
        self._change(partial(marks.with_watch, watch=watch))
        has_one = watch in self.session.place.watches
        self._body.answer.say(f"{watch.name} has {'a' if has_one else 'no'} lane of its own")

    def action_step(self, name: str) -> None:
        """Step in time."""
        self._runner.start(moves.step_move(self.session, Step[name]))

    def action_go(self, position: str) -> None:
        """Go to a position."""
        self._runner.start(moves.position_move(self.session, position))

    def action_ask(self, name: str) -> None:
        """Go to an access of the selected bytes."""
        self._runner.start(moves.access_move(self.session, Question[name]))

    def action_who(self) -> None:
        """Say who wrote the selected bytes."""
        self._runner.start(moves.writer_question(self.session))

    def action_address_space(self) -> None:
        """Name the selected bytes by their other address."""
        self._runner.start(moves.other_space_move(self.session))

    def action_watch(self) -> None:
        """Give the selected bytes a lane, or take it away."""
        self._runner.start(moves.watch_move(self.session))

    def action_give_up(self) -> None:
        """Cancel the search that runs, and moves that wait for it."""
        if self._runner.give_up():
            self._body.answer.say("given up")

    def action_return_to(self) -> None:
        """Go back to where the last move began."""
        self._runner.start(moves.return_move())

    def action_jump(self) -> None:
        """Ask for a position."""
        self.push_screen(Prompt("jump to", self.session.resolve, self.session.complete), self._jumped)

    def _jumped(self, t: Time | None) -> None:
        if t is not None:
            self._body.answer.say(f"t {t:,}")
            self._go(t)

    def action_pick(self) -> None:
        """Ask for bytes to select."""
        parse = partial(self.session.find_bytes, self.session.place)
        self.push_screen(Prompt("select bytes at", parse, self.session.complete_bytes), self._picked)

    def _picked(self, selection: Selection | None) -> None:
        if selection is not None:
            self._change(partial(with_selection, selection=selection))

    def action_select(self, count: int, unit: str) -> None:
        """Move the selection by bytes, rows, or what the panel shows."""
        shape = self._body.memory.shape
        shown = shape.rows * shape.width
        delta = count * {"byte": 1, "row": shape.width, "page": shown}[unit]
        self._change(partial(with_moved_selection, delta=delta, shown=shown))

    def action_zoom(self, factor: float) -> None:
        """Zoom the timeline around the cursor."""
        self.session.zoom(factor)
        self._body.show(self.session.place)

    def action_pan(self, share: float) -> None:
        """Move the timeline; the cursor stays."""
        self.session.pan(share)
        self._body.show(self.session.place)

    def action_show_all(self) -> None:
        """Show the whole trace, or the cursor's surroundings."""
        self.session.show_all()
        self._body.show(self.session.place)

    def action_bookmark(self) -> None:
        """Put a bookmark at the cursor, or take it away."""
        self._change(marks.with_bookmark)
        there = any(mark.t == self.session.place.t for mark in self.session.place.bookmarks)
        self._body.answer.say(f"bookmark {'put at' if there else 'taken from'} t {self.session.place.t:,}")

    def action_next_bookmark(self) -> None:
        """Go to the next bookmark."""
        t = marks.next_bookmark(self.session.place)
        if t is None:
            self._body.answer.complain("there is no bookmark: b puts one at the cursor")
        else:
            self._body.answer.say(f"bookmark at t {t:,}")
            self._go(t)

    def on_examiner_changed(self, message: Examiner.Changed) -> None:
        """Show how far the examination is; what has become known of the kernel is shown everywhere."""
        before, now = self.session.examination, message.examination
        self.session.examination = now
        if before.view is now.view and before.analysis is now.analysis:
            self._body.show_progress(self.session.place)
        else:
            self._body.show(self.session.place)
        if now.problem:
            self._body.answer.complain(f"the analysis failed: {now.problem}")

    def on_examiner_failed(self, message: Examiner.Failed) -> None:
        """Say that there is a bug."""
        self._body.answer.complain(sentence(message.error))

    def action_findings(self) -> None:
        """List the findings, or have the trace analysed first."""
        examination = self.session.examination
        if examination.analysis is not None:
            self.push_screen(Findings(examination.analysis), self._evidence_chosen)
        elif examination.is_running:
            self._body.answer.say(f"{examination.summary} {examination.task}")
        else:
            self._examiner.start()

    def _evidence_chosen(self, row: FindingRow | None) -> None:
        if row is not None:
            self._runner.give_up()
            self.session.show_evidence(row)
            self._body.answer.say(f"{row.role}: {row.text}")
            self._body.show(self.session.place)

    def action_counterpart(self) -> None:
        """Go from a finding's store to who used what it left, or back."""
        analysis = self.session.examination.analysis
        row = None if analysis is None else find_counterpart(analysis, self.session.place.t)
        if row is None:
            self._body.answer.complain("no finding has its store, or a use of it, at this t: n lists them")
        self._evidence_chosen(row)

    def action_help(self) -> None:
        """Show all keys."""
        self.push_screen(Help())

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """What the command palette offers."""
        lanes = dict.fromkeys((*self._body.lanes, *self.session.place.folded))
        yield from key_commands(self._run_by_name)
        yield from lane_commands(lanes, self._change)

    def _run_by_name(self, action: str) -> None:
        self.call_later(self.run_action, action)
