"""The registers; those that changed carry an asterisk."""

from collections.abc import Sequence
from functools import partial

from textual.content import Content

from tracedbg.session.place import Place
from tracedbg.session.screen import registers
from tracedbg.session.snapshots import RegisterPanel, RegisterRow
from tracedbg.tui import paint
from tracedbg.tui.panel import Job, Panel

COLUMN = 22
"""Columns that a register takes: its name, 16 digits, and a sign."""


class RegistersPanel(Panel[RegisterPanel]):
    """As many columns as fit; where there is no room for all, those that changed are among those shown."""

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
        wide = snapshot.wide[: max(height // 3, 1)] if snapshot.wide else ()
        height -= len(wide)
        columns = max(width // COLUMN, 1)
        rows = fitting(snapshot.rows, columns * max(height, 1))
        per_column = min(max(-(-len(rows) // columns), 1), max(height, 1))
        cell = width // columns
        grid = [
            Content.assemble(*(_cell(row, cell) for row in rows[line : columns * per_column : per_column]))
            for line in range(per_column)
        ]
        return [*grid, *(_cell(row, width) for row in wide)]


def fitting(rows: Sequence[RegisterRow], room: int) -> list[RegisterRow]:
    """Return as many rows as there is room for, in their order; changed ones go before others."""
    if len(rows) <= room:
        return list(rows)
    late = [row for row in rows[room:] if row.changed]
    kept = list(rows[:room])
    for row in late:
        place = next((at for at in reversed(range(len(kept))) if not kept[at].changed), None)
        if place is not None:
            del kept[place]
            kept.append(row)
    return kept


def _cell(row: RegisterRow, width: int) -> Content:
    value = "??" if row.value is None else f"{row.value:x}"
    text = f"{row.name:<4} {value}{'*' if row.changed else ' '}"
    if len(text) >= width:
        # The lowest digits are cut off a wide register, never without a sign.
        text = f"{text[: width - 3]}…*"
    style = paint.CHANGED if row.changed else paint.UNKNOWN if row.value is None else ""
    return Content.assemble((text[: width - 1].ljust(width), style))
