"""Lanes that need to know what the kernel is: names of system calls, and tasks."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg
from tracedbg.ids import Hart, Time
from tracedbg.session import Session
from tracedbg.session.lanes import BUILT_IN, Lane, LaneView
from tracedbg.session.place import Visible

SHIPPED = Path(__file__).parents[2] / "traces" / "stack_futex.bin"
FUTEX = 14_703_096


@pytest.fixture
def session() -> Iterator[Session]:
    with tracedbg.open(SHIPPED) as trace:
        yield Session(trace, at=Time(FUTEX))


def by_name(session: Session, start: int, stop: int, width: int) -> dict[str, Lane]:
    visible = Visible(Time(start), Time(stop))
    view = LaneView(session.index, visible, width, Hart(0), kernel=session.kernel)
    return {lane.name: lane for source in BUILT_IN for lane in source.lanes(view)}


def test_calls_carry_the_name_that_something_confirms(session: Session) -> None:
    cells = by_name(session, FUTEX - 100, FUTEX + 1500, 80)["syscalls"].cells
    assert cells.split()[:2] == ["├futex", "├write"]
    assert cells.index("├futex") == 5


def test_tasks_are_shown_once_they_were_looked_for(session: Session) -> None:
    assert "task" not in by_name(session, FUTEX - 100, FUTEX + 1500, 80)
    assert len(session.kernel.tasks) == 6
    lane = by_name(session, FUTEX - 100, FUTEX + 500, 60)["task"]
    assert lane.cells == "├5".ljust(60)
    assert lane.exact
    whole = by_name(session, 0, session.store.end, 100)["task"]
    assert not whole.exact
    assert whole.note == "6 tasks in view"
    assert whole.cells.startswith(" " * 88)
