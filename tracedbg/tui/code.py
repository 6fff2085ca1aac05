"""Disassembly with source lines; an arrow stands at the instruction that runs next."""

from functools import partial

from textual.content import Content

from tracedbg.session.place import Place
from tracedbg.session.screen import code
from tracedbg.session.snapshots import CodeKind, CodePanel, CodeRow
from tracedbg.tui import paint
from tracedbg.tui.panel import Job, Panel

ARROW = "▶"
STYLES = {
    CodeKind.SYMBOL: paint.SYMBOL,
    CodeKind.SOURCE: paint.SOURCE,
    CodeKind.UNKNOWN: paint.UNKNOWN,
}


class CodeView(Panel[CodePanel]):
    """Code around pc."""

    NAME = "code"

    def job(self, place: Place) -> Job[CodePanel]:
        """The code of a place, as many rows as there is room for."""
        return partial(code, self.session, place, max(self.content_size.height, 1))

    def title(self, snapshot: CodePanel | None) -> str:
        """The function and its place in the source."""
        return "code" if snapshot is None else f"code  {snapshot.title}"

    def lines(self, snapshot: CodePanel) -> list[Content]:
        """One line a row."""
        return [_line(row) for row in snapshot.rows]


def _line(row: CodeRow) -> Content:
    mark = f"{ARROW} " if row.is_current else "  "
    if row.kind is not CodeKind.INSTRUCTION:
        return Content.assemble(mark, (f"{row.place} {row.text}".strip(), STYLES[row.kind]))
    style = paint.CURRENT if row.is_current else ""
    note = (f"  {row.note}", paint.NOTE) if row.note else ""
    return Content.assemble((mark, style), (row.place, paint.LABEL), (f"  {row.text}", style), note)
