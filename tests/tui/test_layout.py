"""Which panels a terminal has room for."""

import pytest
from textual.pilot import Pilot

from tests.tui.conftest import Run
from tracedbg.session.snapshots import RegisterRow
from tracedbg.tui.app import ReplayApp
from tracedbg.tui.body import Body
from tracedbg.tui.layout import arrange, timeline_rows
from tracedbg.tui.registers import fitting


@pytest.mark.parametrize(
    ("size", "left", "right"),
    [
        ((120, 28), ["code", "registers", "frames"], ["memory", "calls", "console"]),
        ((120, 17), ["code", "registers"], ["memory", "calls", "console"]),
        ((80, 13), ["code", "registers"], ["memory", "calls"]),
        ((80, 11), ["code"], ["memory"]),
        ((60, 34), ["code", "memory", "registers", "calls", "frames", "console"], []),
        ((60, 33), ["code", "memory", "registers", "calls", "frames"], []),
        ((60, 13), ["code", "memory"], []),
        ((60, 7), ["code"], []),
        ((60, 5), [], []),
    ],
)
def test_panels_are_lost_in_the_stated_order(
    size: tuple[int, int], left: list[str], right: list[str]
) -> None:
    found = arrange(*size)
    assert (list(found.left), list(found.right)) == (left, right)
    for column in (found.left, found.right):
        assert not column or sum(column.values()) == size[1]


def test_the_timeline_takes_at_most_half() -> None:
    assert timeline_rows(9, 40, 4) == 9
    assert timeline_rows(30, 24, 4) == 10
    assert timeline_rows(9, 7, 4) == 3


@pytest.mark.parametrize("size", [(80, 24), (60, 20), (40, 12), (20, 8)])
def test_timeline_and_answer_stay(app: ReplayApp, drive: Run, size: tuple[int, int]) -> None:
    async def look(_: Pilot[None]) -> None:
        body = app.screen.query_one(Body)
        assert body.query_one("#timeline").size.height >= 2
        assert body.answer.region.bottom <= size[1]
        assert body.answer.size.height == 2

    drive(look, size)


def test_changed_registers_are_among_those_shown() -> None:
    rows = [RegisterRow(name, 0, changed) for name, changed in (("a", False), ("b", True), ("c", False))]
    rows.append(RegisterRow("d", 1, changed=True))
    assert [row.name for row in fitting(rows, 2)] == ["b", "d"]
    assert [row.name for row in fitting(rows, 4)] == ["a", "b", "c", "d"]
