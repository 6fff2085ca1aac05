"""A dialog that asks for a position or an address, completes names, and says what is wrong with an answer."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input, OptionList, Static
from textual.worker import Worker, WorkerState

from tracedbg.errors import TracedbgError

Answer = TypeVar("Answer")


class Prompt(ModalScreen[Answer | None], Generic[Answer]):
    """``parse`` runs in a thread; what it raises is shown and the dialog stays open. Esc closes it."""

    DEFAULT_CSS = """
    Prompt { align: center middle; }
    Prompt > Vertical { width: 72; max-width: 95%; height: auto; border: round $accent; }
    Prompt > Vertical { background: $surface; }
    Prompt OptionList { height: auto; max-height: 8; border: none; }
    Prompt #problem { height: auto; color: $error; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "close", show=False),
        Binding("tab,down", "complete(1)", "next completion", show=False, priority=True),
        Binding("shift+tab,up", "complete(-1)", "last completion", show=False, priority=True),
    ]

    def __init__(
        self, title: str, parse: Callable[[str], Answer], complete: Callable[[str], Sequence[str]]
    ) -> None:
        super().__init__()
        self._title = title
        self._parse = parse
        self._complete = complete
        self._typed = ""
        self._chosen = -1

    def compose(self) -> ComposeResult:
        """Input, completions, problem."""
        with Vertical() as box:
            box.border_title = self._title
            box.border_subtitle = "Enter goes, Tab completes, Esc closes"
            yield Input(select_on_focus=False)
            yield OptionList()
            yield Static(id="problem")

    def on_mount(self) -> None:
        """Begin with all that fits."""
        # A mouse may use the list; keys belong to the input.
        self.query_one(OptionList).can_focus = False
        self.query_one(Input).focus()
        self._offer("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Complete what was typed; what was taken from the list completes nothing further."""
        options = self.query_one(OptionList)
        if self._chosen >= 0 and event.value == str(options.get_option_at_index(self._chosen).prompt):
            return
        self.query_one("#problem", Static).update("")
        self._offer(event.value)

    def _offer(self, text: str) -> None:
        self._typed, self._chosen = text, -1
        self._work("complete", partial(self._complete, text))

    def action_complete(self, step: int) -> None:
        """Put the next completion into the input."""
        options = self.query_one(OptionList)
        if options.option_count:
            self._chosen = (max(self._chosen, -1 if step > 0 else 0) + step) % options.option_count
            options.highlighted = self._chosen
            field = self.query_one(Input)
            field.value = str(options.get_option_at_index(self._chosen).prompt)
            field.cursor_position = len(field.value)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A click on a completion takes it."""
        self._submit(str(event.option.prompt))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Look for what was typed."""
        self._submit(event.value)

    def _submit(self, text: str) -> None:
        self.query_one("#problem", Static).update("… looking")
        self._work("parse", partial(self._parse, text))

    def _work(self, group: str, work: Callable[[], object]) -> None:
        self.run_worker(work, group=group, exclusive=True, thread=True, exit_on_error=False)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """Take completions, the answer, or the error."""
        if event.state is WorkerState.SUCCESS and event.worker.group == "parse":
            self.dismiss(event.worker.result)
        elif event.state is WorkerState.SUCCESS:
            options = self.query_one(OptionList)
            options.clear_options()
            options.add_options(event.worker.result or [])
        elif event.state is WorkerState.ERROR:
            self.query_one("#problem", Static).update(sentence(event.worker.error))

    def action_close(self) -> None:
        """Close without an answer."""
        self.dismiss(None)


def sentence(error: BaseException | None) -> str:
    """An error as a person reads it; what is no error of tracedbg's own is a bug, and says so."""
    if isinstance(error, TracedbgError | OSError):
        return " ".join(str(error).split())
    return f"this is a bug in tracedbg: {type(error).__name__}: {' '.join(str(error).split())}"
