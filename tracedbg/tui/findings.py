"""The list of findings: stories with their evidence, what was checked, what could not be."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tracedbg.detect.analysis import Analysis
from tracedbg.detect.finding import Severity
from tracedbg.session.evidence import FindingRow, finding_rows
from tracedbg.session.examination import SIGNS
from tracedbg.tui import paint

STYLES = {Severity.ERROR: "$error bold", Severity.WARNING: "$warning bold", Severity.INFO: "$accent"}
ROLE_WIDTH = 10


class Findings(ModalScreen[FindingRow | None]):
    """Enter closes it with the row that is chosen, Esc with none."""

    DEFAULT_CSS = """
    Findings { align: center middle; }
    Findings > Vertical { width: 95%; max-height: 90%; height: auto; border: round $accent; }
    Findings > Vertical { background: $surface; }
    Findings OptionList { height: auto; max-height: 100%; border: none; background: $surface; }
    Findings OptionList:focus { border: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n,q", "close", "close", show=False),
    ]

    def __init__(self, analysis: Analysis) -> None:
        super().__init__()
        self._analysis = analysis
        self._rows = finding_rows(analysis)

    def compose(self) -> ComposeResult:
        """One list; only what has a moment can be chosen."""
        with Vertical() as box:
            box.border_title = "findings" if self._rows else self._analysis.absence
            box.border_subtitle = "Enter goes there, Esc closes"
            yield OptionList(
                *(Option(row_line(row), id=str(place)) for place, row in enumerate(self._rows)),
                *(Option(line, disabled=True) for line in _checks(self._analysis)),
            )

    def on_mount(self) -> None:
        """Begin at the first story."""
        options = self.query_one(OptionList)
        options.focus()
        if self._rows:
            options.highlighted = 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to what was chosen."""
        if event.option.id is not None:
            self.dismiss(self._rows[int(event.option.id)])

    def action_close(self) -> None:
        """Close without going anywhere."""
        self.dismiss(None)


def row_line(row: FindingRow) -> Content:
    """A finding with its sign, or a piece of evidence below it with what it is to the story."""
    when = f"t {row.t:,}"
    if row.severity is not None:
        head = f"{SIGNS[row.severity]} {row.role}"
        return Content.assemble("  " * row.depth, (head, STYLES[row.severity]), f"  {when}  {row.text}")
    role = f"{'  ' * row.depth}{row.role:<{ROLE_WIDTH}}"
    return Content.assemble((role, paint.LABEL), f" {when}  {row.text}")


def _checks(analysis: Analysis) -> list[Content]:
    named = [(checked.detector, check) for checked in analysis.checked for check in checked.checks]
    done = [f"✓ {name}: {check.text}" for name, check in named if check.is_done]
    missed = [f"- not checked, {name}: {check.text}" for name, check in named if not check.is_done]
    return [Content(line) for line in (*done, *missed, *(f"! {text}" for text in analysis.failures))]
