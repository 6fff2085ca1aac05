"""Findings as lanes, rows and places."""

import numpy as np
import pytest

from tests.session.found import BASE, BEGIN, PLACE, READ, STORE, analysis, examined, finding
from tests.session.program import STACK_TOP, USER_STACK_TOP, Program
from tracedbg.detect import Severity
from tracedbg.ids import Hart, Time
from tracedbg.session import Session
from tracedbg.session.evidence import find_counterpart, finding_rows
from tracedbg.session.examination import Examination
from tracedbg.session.lanes import Lane, LaneView
from tracedbg.session.lanes.findings import Findings
from tracedbg.session.lanes.stack_base import StackBase
from tracedbg.session.place import Visible, Watch
from tracedbg.session.stack_bases import StackBases


def view(session: Session, examination: Examination, stop: int, width: int) -> LaneView:
    visible = Visible(Time(0), Time(stop))
    return LaneView(session.index, visible, width, Hart(0), examination=examination)


def findings_lane(session: Session, found: Examination, stop: int = 40, width: int = 40) -> Lane:
    (lane,) = Findings().lanes(view(session, found, stop, width))
    return lane


def test_a_finding_is_named_where_it_began(session: Session) -> None:
    lane = findings_lane(session, examined(session.trace, finding()))
    assert lane.cells == "   ◆ stack-underflow".ljust(40)
    assert lane.kinds == ("   " + "!" * 17).ljust(40)


@pytest.mark.parametrize(
    ("severity", "sign", "kind"), [(Severity.WARNING, "▲", "^"), (Severity.INFO, "◇", "i")]
)
def test_severity_has_a_sign_of_its_own(session: Session, severity: Severity, sign: str, kind: str) -> None:
    lane = findings_lane(session, examined(session.trace, finding(severity=severity)))
    assert (lane.cells[3], lane.kinds[3]) == (sign, kind)


def test_a_name_without_room_is_cut_and_then_left_out(session: Session) -> None:
    near = finding(Time(12)), finding(Time(14)), finding(Time(39))
    lane = findings_lane(session, examined(session.trace, finding(), *near))
    assert lane.cells == "   ◆ stack… ◆ ◆ stack-underflow        ◆"


def test_findings_in_one_cell_are_counted_or_a_density(session: Session) -> None:
    mild = finding(Time(3), Severity.INFO)
    found = examined(session.trace, mild, finding())
    lane = findings_lane(session, found)
    assert (lane.cells, lane.kinds) == ("   ◆ stack-underflow +1".ljust(40), ("   " + "!" * 20).ljust(40))
    lane = findings_lane(session, found, width=4)
    assert (lane.cells, lane.kinds) == ("░   ", "!   ")


def test_related_findings_are_in_the_lane(session: Session) -> None:
    story = finding(related=(finding(Time(30), Severity.WARNING),))
    assert findings_lane(session, examined(session.trace, story)).cells[30] == "▲"


def test_a_stretch_without_findings_has_an_empty_lane(session: Session) -> None:
    lane = findings_lane(session, examined(session.trace, finding(Time(90))))
    assert lane.cells == " " * 40


def test_without_findings_there_is_no_lane(session: Session) -> None:
    for examination in (Examination(), examined(session.trace)):
        assert Findings().lanes(view(session, examination, 40, 40)) == []


def with_bases(session: Session) -> Examination:
    """Both of the program's stacks have a base: before the first system call it is taken for another one."""
    return examined(session.trace, finding(), finding(top=USER_STACK_TOP))


def expected_bases(session: Session, count: int, base: int) -> str:
    """Instruction by instruction, from registers alone."""
    cells = []
    for t in range(count):
        moment = session.moment(Time(t))
        sp = moment.registers["sp"]
        assert sp is not None
        on_stack = moment.privilege == 1 and sp <= STACK_TOP
        cells.append(("▽" if sp < base else "┄") if on_stack else " ")
    return "".join(cells)


def test_where_sp_is_below_an_inferred_base(session: Session, program: Program) -> None:
    count = len(program.history.steps)
    (lane,) = StackBase().lanes(view(session, with_bases(session), count, count))
    expected = expected_bases(session, count, BASE)
    differing = [
        (t, cell, other)
        for t, (cell, other) in enumerate(zip(lane.cells, expected, strict=True))
        if cell != other and "▽" in (cell, other)
    ]
    assert differing == []
    assert {"▽", "┄"} <= set(lane.cells)
    assert lane.note == f"stack 1 base {BASE:x} (inferred), stack 2 base {BASE:x} (inferred)"


def test_a_long_stretch_marks_whole_stints(
    session: Session, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracedbg.session.lanes.lane.EXACT_INSTRUCTIONS", 0)
    count = len(program.history.steps)
    (lane,) = StackBase().lanes(view(session, with_bases(session), count, count))
    assert not lane.exact
    exact = expected_bases(session, count, BASE)
    assert all(lane.cells[t] == "▽" for t, cell in enumerate(exact) if cell == "▽")


def test_a_base_that_nothing_tells_is_not_made_up(session: Session) -> None:
    (lane,) = StackBase().lanes(view(session, examined(session.trace, finding()), 10, 10))
    assert lane.cells == "·" * 10
    assert StackBase().lanes(view(session, examined(session.trace), 10, 10)) == []
    assert StackBase().lanes(view(session, Examination(), 10, 10)) == []


def test_bases_of_contexts_say_how_they_are_known(session: Session) -> None:
    found = examined(session.trace, finding())
    assert found.view is not None
    (stack, *_) = [stack for stack in found.view.stacks if stack.top == STACK_TOP]
    address, certainty = StackBases(found).of_contexts(np.array(stack.contexts[:1]))
    assert (address.tolist(), certainty.tolist()) == ([BASE], [1])
    address, certainty = StackBases(examined(session.trace)).of_contexts(np.array(stack.contexts[:1]))
    assert (address.tolist(), certainty.tolist()) == ([0], [0])


def test_rows_are_stories_with_their_evidence() -> None:
    rows = finding_rows(analysis(finding(related=(finding(Time(9), Severity.INFO),))))
    assert [(row.depth, row.role, int(row.t)) for row in rows] == [
        (0, "stack-underflow", STORE), (1, "begin", BEGIN), (1, "store", STORE), (1, "read", READ),
        (1, "stack-underflow", 9), (2, "begin", BEGIN), (2, "store", 9), (2, "read", READ),
    ]  # fmt: skip
    assert [row.bytes for row in rows[:4]] == [Watch(PLACE, 8), None, Watch(PLACE, 8), Watch(PLACE, 8)]


def test_a_store_leads_to_its_reader_and_back() -> None:
    found = analysis(finding())
    there = find_counterpart(found, STORE)
    assert there is not None
    assert (there.role, there.t) == ("read", READ)
    back = find_counterpart(found, READ)
    assert back is not None
    assert (back.role, back.t) == ("store", STORE)
    assert find_counterpart(found, Time(4)) is None


def test_showing_evidence_selects_and_watches_its_bytes(session: Session) -> None:
    begin, store = finding_rows(analysis(finding()))[1:3]
    session.show_evidence(store)
    session.show_evidence(store)
    assert session.place.t == STORE
    assert session.place.selection.text == f"pa {PLACE:x}:8"
    assert session.place.watches == (Watch(PLACE, 8),)
    session.show_evidence(begin)
    assert (session.place.t, session.place.selection.address) == (BEGIN, PLACE)
