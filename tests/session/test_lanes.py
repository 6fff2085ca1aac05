"""Lanes of the timeline as plain text, against what the program did."""

import numpy as np
import pytest

from tests.session.program import DATA, STACK_TOP, G, Program
from tracedbg.ids import Hart, PhysicalAddress, Time
from tracedbg.session import Session
from tracedbg.session.lanes import BUILT_IN, Lane, LaneView
from tracedbg.session.lanes import lane as lanes
from tracedbg.session.lanes.overview import overview
from tracedbg.session.lanes.stack_depth import stack_depths
from tracedbg.session.place import Visible, Watch


def view(session: Session, start: int, stop: int, width: int, *watches: Watch) -> LaneView:
    return LaneView(session.index, Visible(Time(start), Time(stop)), width, Hart(0), watches)


def by_name(view: LaneView) -> dict[str, Lane]:
    return {lane.name: lane for source in BUILT_IN for lane in source.lanes(view)}


def test_privilege_of_each_instruction(session: Session, program: Program) -> None:
    steps = program.history.steps
    found = by_name(view(session, 0, len(steps), len(steps)))["hart 0"]
    assert found.cells == "".join("US"[program.history.blocks[step.block].privilege] for step in steps)
    assert found.exact


def test_a_cell_with_two_privileges_is_in_lower_case(session: Session, program: Program) -> None:
    first_call = next(trap for trap in program.traps if trap.source == 0)
    start = first_call.t - 2
    assert by_name(view(session, start, start + 8, 2))["hart 0"].cells == "uS"


def test_a_stretch_shorter_than_its_columns_has_no_holes(session: Session) -> None:
    found = by_name(view(session, 10, 26, 40))
    assert found["hart 0"].cells == "S" * 40
    assert len(found["stack depth"].cells) == 40


def test_sampled_lanes_say_so(session: Session, program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "EXACT_INSTRUCTIONS", 0)
    found = by_name(view(session, 0, len(program.history.steps), 20))
    assert {name: lane.exact for name, lane in found.items()} == {
        "hart 0": False,
        "syscalls": True,
        "traps": True,
        "stack depth": False,
        "console": True,
    }
    assert found["hart 0"].cells[:11] == "S" * 11


def test_traps_are_marked_where_the_handler_begins(session: Session, program: Program) -> None:
    count = len(program.history.steps)
    cells = by_name(view(session, 0, count, count))["traps"].cells
    expected = {trap.t: "E" if trap.source == 0 else "I" for trap in program.traps}
    assert {t: cell for t, cell in enumerate(cells) if cell != " "} == expected


def test_many_traps_in_a_cell_become_a_density(session: Session, program: Program) -> None:
    found = by_name(view(session, 0, len(program.history.steps), 1))["traps"]
    assert (found.cells, found.kinds) == ("░", "*")
    assert [lanes.density(count) for count in (1, 9, 10, 100, 1000, 10**6)] == list("░░▒▓██")


def test_system_calls_carry_their_number(session: Session, program: Program) -> None:
    count = len(program.history.steps)
    cells = by_name(view(session, 0, count, count))["syscalls"].cells
    assert cells.split() == ["├64", "├64", "├64"]
    assert cells.index("├") == next(trap.t for trap in program.traps if trap.source == 0)


def test_console_lines_begin_where_they_were_written(session: Session, program: Program) -> None:
    count = len(program.history.steps)
    cells = by_name(view(session, 0, count, count))["console"].cells
    assert cells.split('"')[1::2] == ["round 0", "round 1", "round 2", "round 3"]
    assert cells.index('"') == program.console[0][0]


def test_accesses_of_watched_bytes(session: Session, program: Program) -> None:
    place = STACK_TOP - 32 - 16 + 8
    expected = {
        step.t: "w" if step.touches[0].store else "r"
        for step in program.history.steps
        if step.touches and step.touches[0].places[0] == place
    }
    watch = Watch(PhysicalAddress(place), 8)
    count = len(program.history.steps)
    cells = by_name(view(session, 0, count, count, watch))[watch.name].cells
    assert {t: cell for t, cell in enumerate(cells) if cell != " "} == expected
    assert set(expected.values()) == {"r", "w"}


def test_bytes_that_nothing_touches_have_an_empty_lane(session: Session) -> None:
    watch = Watch(PhysicalAddress(DATA), 8)
    assert by_name(view(session, 0, 100, 10, watch))[watch.name].cells == " " * 10


def test_the_stack_is_deepest_in_the_interrupt_handler(session: Session, program: Program) -> None:
    handler = program.traps[0].t
    found = by_name(view(session, 0, handler + 5, handler + 5))["stack depth"]
    # main 32, f 16, g 16 and 16, the handler 32; sp is lower after the handler's first instruction.
    assert found.note == "deepest in view 112 bytes"
    assert found.cells.index("█") == handler + 1


def test_depths_are_told_apart_by_stack() -> None:
    low, high = 0x8000_0000, 0x9000_0000
    values = np.array([low, low - 16, high, high - 64, low - 16, low - 48], np.uint64)
    assert stack_depths(values, np.zeros(6, np.bool_)).tolist() == [0, 16, 0, 64, 16, 48]


def test_neighbouring_stacks_are_told_apart_by_how_sp_was_set() -> None:
    values = np.array([0x3000, 0x2F00, 0x4000, 0x3F80, 0x2F00, 0x3000], np.uint64)
    jumps = np.array([True, False, True, False, True, False])
    assert stack_depths(values, jumps).tolist() == [0, 0x100, 0, 0x80, 0x100, 0]


def test_overview_is_high_where_much_different_code_runs(session: Session) -> None:
    found = overview(session.index, 10)
    assert len(found.cells) == 10
    assert found.cells.count("█") >= 1
    assert " " not in found.cells


def test_a_lane_of_another_layer_is_shown_with_the_others(session: Session) -> None:
    class Findings:
        def lanes(self, view: LaneView) -> list[Lane]:
            return [Lane("findings", "◆".ljust(view.width), "*".ljust(view.width), note=f"{G:x}")]

    found = Session(session.trace, at=Time(0), lanes=(*BUILT_IN, Findings()))
    assert found.lanes[-1].lanes(found.view(found.place, 5))[0].cells == "◆    "
