"""One screen: every panel of one moment, as plain values."""

import pytest

from tests.session.program import DATA, USER_CODE, F, Program
from tracedbg.ids import Time
from tracedbg.session import ScreenSize, Session, screen_at
from tracedbg.session.memory_panel import MemorySize
from tracedbg.session.screen import in_short
from tracedbg.session.selecting import selected, with_selection
from tracedbg.state import Moment

SIZE = ScreenSize(timeline_width=40, code_rows=6, memory=MemorySize(2, 16), console_rows=3)


def test_everything_belongs_to_one_moment(session: Session, program: Program) -> None:
    t = Time(program.console[0][0] + 3)
    screen = screen_at(session, t, SIZE)
    assert screen.t == t
    assert screen.header.file == "program.bin"
    assert screen.header.machine == f"riscv64, 1 hart, {len(program.history.steps)} instructions"
    assert screen.header.ending == "guest shutdown"
    assert screen.timeline.visible.holds(t)
    assert screen.console.lines == ("round 0",)


def test_code_around_pc(session: Session) -> None:
    screen = screen_at(session, Time(3), SIZE)
    rows = [(row.place, row.text, row.is_current) for row in screen.code.rows]
    assert rows == [
        ("80000100", "addi sp, sp, -16", False),
        ("80000104", "sd ra, 8(sp)", True),
        ("80000108", "jal 0x80000200", False),
        ("8000010c", "ld ra, 8(sp)", False),
        ("80000110", "addi sp, sp, 16", False),
        ("80000114", "ret", False),
    ]
    assert screen.code.rows[1].note == "ra=80000008 sp=80002fd0"


def test_registers_that_changed_since_the_last_place_are_marked(session: Session) -> None:
    session.go(Time(2))
    session.go(Time(3))
    panel = screen_at(session, Time(3), SIZE).registers
    assert {row.name for row in panel.rows if row.changed} == {"sp"}


def test_memory_marks_what_was_written(session: Session) -> None:
    session.go(Time(3))
    session.go(Time(4))
    session.place = with_selection(session.place, selected(0x8000_2FD8, 8, is_virtual=True))
    panel = screen_at(session, Time(4), SIZE).memory
    row = panel.rows[0]
    assert row.address == 0x8000_2FD0
    assert [cell.written for cell in row.cells] == [False] * 8 + [True] * 8
    assert [cell.selected for cell in row.cells] == [False] * 8 + [True] * 8
    assert [cell.value for cell in row.cells[8:]] == list((0x8000_0008).to_bytes(8, "little"))
    assert panel.writer == f"written at t 3 by {F + 4:x}: 0000000080000008"


def test_memory_outside_ram_is_unknown(session: Session) -> None:
    session.place = with_selection(session.place, selected(0x1000, 8, is_virtual=False))
    panel = screen_at(session, Time(4), SIZE).memory
    assert {cell.value for row in panel.rows for cell in row.cells} == {None}


def test_untouched_memory_has_neither_writer_nor_reader(session: Session) -> None:
    session.place = with_selection(session.place, selected(DATA, 8, is_virtual=False))
    panel = screen_at(session, Time(4), SIZE).memory
    assert (panel.writer, panel.reader) == ("not written before this t", "not read after this t")


def test_a_console_line_shows_as_far_as_it_was_written(session: Session, program: Program) -> None:
    t = Time(program.console[0][0])
    assert screen_at(session, t, SIZE).console.lines == ()
    assert screen_at(session, Time(t + 1), SIZE).console.lines == ("round 0",)


def test_the_end_of_a_trace_can_be_shown(session: Session) -> None:
    screen = screen_at(session, session.trace.end, SIZE)
    moment = session.trace.at("end")
    # Behind the jump back that ran last.
    assert moment.pc == USER_CODE
    current = [(row.address, row.text) for row in screen.code.rows if row.is_current]
    assert current == [(USER_CODE, "li a7, 64")]


def test_where_a_hart_stands_that_does_not_run_again_may_not_be_known(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Moment, "pc", None)
    rows = screen_at(session, session.trace.end, SIZE).code.rows
    assert [row.text for row in rows] == ["the trace ends here, and does not tell at which pc"]


def test_instructions_in_short() -> None:
    assert [in_short(count) for count in (7, 1500, 21_400_000, 3 * 10**9)] == [
        "7",
        "1.5 K",
        "21.4 M",
        "3.0 G",
    ]
