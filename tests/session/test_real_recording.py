"""The shipped recording of a kernel that ran in QEMU: the same operations on the real thing."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import tracedbg
from tracedbg.ids import Time
from tracedbg.session import Question, ScreenSize, Session, Step, StepError, screen_at

TRACE = Path(__file__).parents[2] / "traces" / "stack_futex.bin"
TIMEOUT = "va 0x40010e00:16"
"""Where the guest's getty keeps the timeout of its futex calls (user_layout.h)."""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with tracedbg.open(TRACE) as trace:
        yield Session(trace)


def last_futex_call(session: Session) -> Time:
    times = session.trace.executions("sys_futex")["t"]
    return Time(int(times[-1]))


def test_the_screen_of_a_system_call(session: Session) -> None:
    t = session.resolve("sys_futex")
    screen = screen_at(session, t, ScreenSize(timeline_width=80))
    assert screen.header.file == "stack_futex.bin"
    assert screen.code.title.startswith("sys_futex sys_futex.c:")
    assert [row.place for row in screen.code.rows if row.is_current] == [f"{session.moment(t).pc:x}"]
    assert [row.function for row in screen.calls.rows[:2]] == ["sys_futex", "syscall_dispatch"]
    names = [lane.name for lane in screen.timeline.lanes]
    assert names == ["hart 0", "syscalls", "traps", "stack depth", "console"]
    assert all(len(lane.cells) == len(lane.kinds) == 80 for lane in screen.timeline.lanes)
    assert "init: start" in screen.console.lines


def test_steps_in_and_out_are_each_others_mirror(session: Session) -> None:
    inside = session.resolve("map_extent")
    call = session.step(Step.OUT_BACK, inside)
    after = session.step(Step.OUT, inside)
    assert session.step(Step.INSTRUCTION, call) == inside
    assert session.step(Step.OVER, call) == after
    assert session.step(Step.OVER_BACK, after) == call


def test_over_is_the_mirror_of_over_back_at_random_moments(session: Session) -> None:
    trace = session.trace
    random = np.random.default_rng(7)
    low, high = session.resolve("map_extent"), session.last_kernel
    checked = 0
    for t in map(Time, random.integers(low, high, 60).tolist()):
        try:
            there = session.step(Step.OVER, t)
            back = session.step(Step.OVER_BACK, there)
        except StepError:
            continue
        # A return leads out: back from there is the call, not the return.
        if trace.at(there).registers["sp"] == trace.at(t).registers["sp"]:
            checked += back == t
            assert back <= t
    assert checked > 20


def test_who_ruined_the_timeout_of_the_futex_that_failed(session: Session) -> None:
    session.go(last_futex_call(session))
    session.select(session.find_bytes(session.place, TIMEOUT))
    before = session.place
    access = session.ask(Question.LAST_WRITE, before)
    assert access is not None
    assert "trap_entry" in session.who(before)
    session.select(session.in_other_space(before))
    session.go(access.t)
    assert session.ask(Question.NEXT_READ, session.place) is not None
    screen = screen_at(session, Time(access.t + 1), ScreenSize())
    assert any(cell.written for row in screen.memory.rows for cell in row.cells if cell.selected)
    assert {"block_cache_read", "map_extent"} & {row.function for row in screen.calls.rows}


@pytest.mark.parametrize("zoom", [1e9, 16, 1 / 16, 1e-9])
def test_the_timeline_at_every_zoom(session: Session, zoom: float) -> None:
    session.go(session.last_kernel)
    session.zoom(zoom)
    screen = screen_at(session, session.place.t, ScreenSize(timeline_width=60))
    assert {len(lane.cells) for lane in screen.timeline.lanes} == {60}
    assert 0 <= screen.timeline.cursor < 60
