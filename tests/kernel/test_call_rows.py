"""System calls of a hand-written program and of a random machine, against what they did."""

from pathlib import Path

import numpy as np
import pytest

from tests.building.machine import Machine
from tests.building.tracefile import write_trace
from tests.session.program import USER_CODE, WRITE_CALL, Program
from tracedbg.ids import Hart, Time
from tracedbg.kernel.register_values import FEW, register_values
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.kernel.user_returns import user_returns
from tracedbg.kernel.view import KernelView
from tracedbg.query import registers_at
from tracedbg.state.registers import numbers_of
from tracedbg.store import Trace


def test_each_call_has_its_number_and_the_moment_of_its_return(
    program_view: KernelView, program: Program
) -> None:
    rows = program_view.system_calls.rows
    traps = [trap for trap in program.traps if trap.source == 0]
    assert rows["t"].tolist() == [trap.t for trap in traps]
    assert rows["number"].tolist() == [WRITE_CALL] * 3
    behind = [
        step.t
        for step in program.history.steps
        if program.history.blocks[step.block].address(step.place) == USER_CODE + 8
    ]
    assert rows["returned"].tolist() == behind
    assert rows["epc"].tolist() == [USER_CODE + 4] * 3


def test_a_call_by_itself(program_view: KernelView) -> None:
    call = program_view.system_calls.call(0)
    assert (call.number, call.hart, call.returned_hart) == (WRITE_CALL, 0, 0)
    assert call.duration is not None
    assert call.returned == call.t + call.duration
    assert len(call.arguments) == 6


def test_a_number_that_nothing_confirms_has_no_name(program_view: KernelView) -> None:
    assert program_view.call_names.find(WRITE_CALL) is None
    assert program_view.call_names.text(WRITE_CALL) == "syscall 64"
    assert program_view.call_names.sources == ()


@pytest.mark.parametrize("seed", range(6))
def test_values_at_many_moments_are_those_of_each_moment(seed: int, tmp_path: Path) -> None:
    history = Machine(seed, harts=2).run(epochs=3, runs=40)
    write_trace(history, tmp_path / "trace.bin")
    with Trace.open(tmp_path / "trace.bin") as trace:
        index = TraceIndex(trace)
        [register] = numbers_of(index.arch, trace.guest.registers, "sp")
        for harts in (np.zeros(len(history.steps)), np.arange(len(history.steps)) % 2):
            chosen, times = harts.astype(np.int64), np.arange(history.start, history.end)
            values, known = register_values(index, "sp", chosen, times)
            few, few_known = register_values(index, "sp", chosen[:FEW], times[:FEW])
            assert few_known[known[:FEW]].all()
            assert (few == values[:FEW])[known[:FEW]].all()
            for place, t in enumerate(times.tolist()):
                whole, sure = registers_at(trace, Hart(int(chosen[place])), Time(t))
                # A keyframe may tell what an instruction left whose result was not recorded.
                assert not known[place] or (sure[register] and values[place] == whole[register])
            assert known.mean() > 0.5


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("harts", [1, 3])
def test_returns_to_user_mode_are_where_privilege_drops(seed: int, harts: int, tmp_path: Path) -> None:
    history = Machine(seed, harts).run(epochs=4, runs=30)
    write_trace(history, tmp_path / "trace.bin")
    last: dict[int, int] = {}
    expected = []
    for step in history.steps:
        privilege = history.blocks[step.block].privilege
        if privilege == 0 and last.get(step.hart, 0) > 0:
            expected.append((step.t, step.hart, history.blocks[step.block].address(step.place)))
        last[step.hart] = privilege
    with Trace.open(tmp_path / "trace.bin") as trace:
        assert user_returns(TraceIndex(trace)).tolist() == expected
