"""The help: every key, and how to read the timeline."""

from collections.abc import Sequence
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from tracedbg.tui.keys import KEYS, Key

SIGNS = """\
hart      U S M privilege; lower case: others ran in the same cell
traps     E exception, I interrupt      syscalls  ├ and the number
accesses  r load, w store, c changed by something else
base      ─ known, ┄ inferred, · unknown; ▼ ▽ sp is below it
findings  ◆ error, ▲ warning, ◇ remark
map       █ live part of a stack, · not live; ▶ the selected bytes
░ ▒ ▓ █   several marks in one cell: to 9, 99, 999, more
~         sampled: zoom in to see everything
[ ]       what the lanes show of the whole trace
*         changed or written since the last move      ?? unknown"""


class Help(ModalScreen[None]):
    """A page of keys; any of Esc, ?, q closes it."""

    DEFAULT_CSS = """
    Help { align: center middle; }
    Help > VerticalScroll { width: 76; max-width: 100%; max-height: 100%; height: auto; border: round $accent;
        background: $surface; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q", "close", "close", show=False),
    ]

    def __init__(self, keys: Sequence[Key] = KEYS) -> None:
        super().__init__()
        self._keys = keys

    def compose(self) -> ComposeResult:
        """One text."""
        with VerticalScroll() as box:
            box.border_title = "keys"
            box.border_subtitle = "Esc closes"
            yield Static(help_text(self._keys))

    def action_close(self) -> None:
        """Close."""
        self.dismiss(None)


def help_text(shown: Sequence[Key] = KEYS) -> Content:
    """Keys by group, then the signs of the timeline."""
    parts: list[Content | tuple[str, str] | str] = []
    for group, keys in groupby(shown, key=lambda key: key.group):
        parts.append((f"{group}\n", "bold $accent"))
        for key in keys:
            parts.append((f"  {key.shown:<9}", "bold"))
            parts.append(f"{key.text}\n")
    parts.append(("Signs\n", "bold $accent"))
    parts.append("\n".join(f"  {line}" for line in SIGNS.splitlines()))
    return Content.assemble(*parts)
