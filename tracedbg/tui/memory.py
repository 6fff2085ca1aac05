"""Memory in hexadecimal around the selected bytes, and who wrote and reads them."""

from functools import partial

from textual.content import Content

from tracedbg.session.memory_panel import MemorySize
from tracedbg.session.place import Place
from tracedbg.session.printable import ascii_of
from tracedbg.session.screen import memory
from tracedbg.session.snapshots import ByteCell, MemoryPanel, MemoryRow
from tracedbg.tui import paint
from tracedbg.tui.panel import Job, Panel

ANSWER_LINES = 2
WIDE, NARROW = 16, 8
FULL_WIDTH = 17 + 3 * WIDE + WIDE + 2
"""Columns that 16 bytes with their characters take."""
WITH_TEXT = 17 + 3 * NARROW + NARROW + 1


class MemoryView(Panel[MemoryPanel]):
    """Rows of bytes: ``??`` is unknown, ``*`` behind a byte tells that it was written by the last move."""

    NAME = "memory"

    @property
    def shape(self) -> MemorySize:
        """Rows, and bytes in each, that there is room for."""
        width, height = self.content_size
        return MemorySize(max(height - ANSWER_LINES, 1), WIDE if width >= FULL_WIDTH else NARROW)

    def job(self, place: Place) -> Job[MemoryPanel]:
        """The memory of a place."""
        return partial(memory, self.session, place, self.shape)

    def title(self, snapshot: MemoryPanel | None) -> str:
        """The selection, by both of its addresses."""
        if snapshot is None:
            return "memory"
        chosen = snapshot.selection
        if not chosen.is_virtual:
            return f"memory  {chosen.text}"
        where = "unmapped" if snapshot.physical is None else f"pa {snapshot.physical:x}"
        return f"memory  {chosen.text} ({where})"

    def lines(self, snapshot: MemoryPanel) -> list[Content]:
        """Rows of bytes, then writer and next reader."""
        with_text = self.content_size.width >= WITH_TEXT
        answers = [(text, paint.NOTE) for text in (snapshot.writer, snapshot.reader) if text]
        rows = [_row(row, with_text) for row in snapshot.rows]
        return [*rows, *(Content.assemble(answer) for answer in answers)]


def _row(row: MemoryRow, with_text: bool) -> Content:
    parts: list[Content | tuple[str, str] | str] = [(f"{row.address:>8x} ", paint.LABEL)]
    parts += [_cell(cell) for cell in row.cells]
    if with_text:
        parts.append((" " + "".join(ascii_of(cell.value) for cell in row.cells), paint.NOTE))
    return Content.assemble(*parts)


def _cell(cell: ByteCell) -> Content:
    text = "??" if cell.value is None else f"{cell.value:02x}"
    style = paint.CHANGED if cell.written else paint.UNKNOWN if cell.value is None else ""
    if cell.selected:
        style = f"{style} {paint.SELECTED}".strip()
    return Content.assemble((text, style), ("*" if cell.written else " ", paint.CHANGED))
