"""The physical map as plain values."""

import pytest

from tests.session.found import BASE, STORE, examined, finding
from tests.session.program import CODE, DATA, STACK_TOP
from tracedbg.ids import Frame, PhysicalAddress, Time
from tracedbg.session import Session
from tracedbg.session.examination import Examination, Stage
from tracedbg.session.frame_map import frames_around
from tracedbg.session.screen import frames
from tracedbg.session.selecting import selected, with_selection
from tracedbg.session.snapshots import FrameMap

IN_CALL = Time(132)
"""The kernel is at work on the first system call."""


def map_at(session: Session, t: int, rows: int = 6) -> FrameMap:
    session.go(session.resolve(str(t)))
    return frames(session, session.place, rows)


@pytest.mark.parametrize(
    ("points", "height", "expected"),
    [
        ([10], 3, [11, 10, 9]),
        ([10], 1, [10]),
        ([10, 12], 3, [12, 11, 10]),
        ([10, 12], 6, [14, 13, 12, 11, 10, 9]),
        ([0], 5, [4, 3, 2, 1, 0]),
        ([10, 900], 7, [901, 900, 899, None, 11, 10, 9]),
        ([10, 900], 2, [None, 10]),
    ],
)
def test_which_frames_are_shown(points: list[int], height: int, expected: list[int | None]) -> None:
    found = frames_around([Frame(point) for point in points], height)
    assert found == expected
    assert len(found) == height


def test_owners_and_the_live_part_of_the_stack(session: Session) -> None:
    session.examination = examined(session.trace, finding())
    found = map_at(session, IN_CALL)
    sp = session.moment(IN_CALL).registers["sp"]
    assert sp is not None
    assert (found.stack_pointer, found.selected) == (sp, session.place.selection.address)
    rows = {row.address: row for row in found.rows if row is not None}
    stack = rows[PhysicalAddress(STACK_TOP - 4096)]
    assert stack.live == ((sp % 4096, 4096),)
    assert stack.owner == f"kernel stack 2  top {STACK_TOP:x}  base {BASE:x} (inferred)"
    code = rows[PhysicalAddress(CODE)]
    assert (code.owner, code.live) == ("kernel code", None)
    assert list(rows) == sorted(rows, reverse=True)


def test_a_selection_far_away_is_shown_beside_the_stack(session: Session) -> None:
    session.examination = examined(session.trace)
    session.select(selected(DATA + (1 << 20), 8, is_virtual=False))
    found = map_at(session, STORE, 7)
    assert [row is None for row in found.rows] == [False] * 3 + [True] + [False] * 3


@pytest.mark.parametrize(
    ("examination", "note"),
    [
        (Examination(), "not computed yet: n begins"),
        (Examination(Stage.READING, share=0.5), "computing … 50%"),
        (Examination(Stage.FAILED, problem="epoch 3 is damaged"), "epoch 3 is damaged"),
    ],
)
def test_without_the_history_it_says_why_it_is_empty(
    session: Session, examination: Examination, note: str
) -> None:
    session.examination = examination
    found = map_at(session, STORE)
    assert (found.rows, found.note) == ((), note)


def test_a_selection_that_is_not_mapped_is_left_out(session: Session) -> None:
    session.examination = examined(session.trace)
    place = with_selection(session.place, selected(1 << 62, 8, is_virtual=False))
    session.place = place
    assert len(map_at(session, STORE, 7).rows) == 7
