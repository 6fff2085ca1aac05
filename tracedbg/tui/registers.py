"""The registers; those that changed carry an asterisk."""

from functools import partial

from textual.content import Content

from tracedbg.session.place import Place
from tracedbg.session.screen import registers
from tracedbg.session.snapshots import RegisterPanel, RegisterRow
from tracedbg.tui import paint
from tracedbg.tui.panel import Job, Panel

NAME_WIDTH = 8
VALUE_WIDTH = 16
COLUMN = NAME_WIDTH + VALUE_WIDTH + 2
SHORT_COLUMN = 22


class RegistersPanel(Panel[RegisterPanel]):
    """As many columns as fit; where rows are short, registers that changed come first."""

    NAME = "registers"

    def job(self, place: Place) -> Job[RegisterPanel]:
        """The registers of a place."""
        return partial(registers, self.session, place)

    def title(self, snapshot: RegisterPanel | None) -> str:
        """Hart and privilege."""
        if snapshot is None or snapshot.hart is None:
            return "registers"
        return f"registers  hart {snapshot.hart} {snapshot.privilege}"

    def lines(self, snapshot: RegisterPanel) -> list[Content]:
        """Registers down the columns."""
        width, height = self.content_size
        columns = max(width // SHORT_COLUMN, 1)
        rows = list(snapshot.rows)
        if len(rows) > columns * height:
            rows.sort(key=lambda row: not row.changed)
        per_column = min(max(-(-len(rows) // columns), 1), max(height, 1))
        cell = width // columns
        return [
            Content.assemble(*(_cell(row, cell) for row in rows[line : columns * per_column : per_column]))
            for line in range(per_column)
        ]


def _cell(row: RegisterRow, width: int) -> Content:
    value = "??" if row.value is None else f"{row.value:x}"
    text = f"{row.name:<4} {value}{'*' if row.changed else ' '}"
    style = paint.CHANGED if row.changed else paint.UNKNOWN if row.value is None else ""
    return Content.assemble((text[: width - 1].ljust(width), style))
