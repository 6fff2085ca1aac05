"""Positions as people write them."""

from pathlib import Path

import pytest

from tests.building.machine import History, Machine
from tests.building.reference import executions
from tests.building.tracefile import write_trace
from tracedbg.errors import PositionError
from tracedbg.ids import VirtualAddress
from tracedbg.query import resolve
from tracedbg.store import Trace


@pytest.fixture
def made(tmp_path: Path) -> tuple[History, Trace]:
    history = Machine(7, 2, start=1000).run(20, 5)
    write_trace(history, tmp_path / "positions.trace")
    return history, Trace.open(tmp_path / "positions.trace")


def test_numbers_and_ends(made: tuple[History, Trace]) -> None:
    history, trace = made
    for text, t in (
        ("1005", 1005), ("1_005", 1005), ("1,005", 1005),
        (" end ", history.end), ("end-3", history.end - 3), ("start", 1000),
    ):  # fmt: skip
        assert resolve(trace, text) == t


def test_last_kernel_is_the_last_instruction_outside_machine_mode(made: tuple[History, Trace]) -> None:
    history, trace = made
    outside = [step.t for step in history.steps if history.blocks[step.block].privilege != 3]
    assert resolve(trace, "last-kernel") == outside[-1]


def test_addresses_and_symbols_count_executions(made: tuple[History, Trace]) -> None:
    history, trace = made
    pc = history.blocks[history.steps[0].block].address(0)
    times = [t for t, _, _ in executions(history, pc, (history.start, history.end))]
    places = {"sys_futex": [VirtualAddress(pc)]}

    def symbols(name: str) -> list[VirtualAddress]:
        return places.get(name, [])

    assert resolve(trace, f"pc={pc:#x}") == times[0]
    assert resolve(trace, "sys_futex", symbols) == times[0]
    assert resolve(trace, f"sys_futex#{len(times)}", symbols) == times[-1]
    with pytest.raises(
        PositionError, match=rf"^sys_futex#999: the instruction at {pc:#x} ran only {len(times)} times$"
    ):
        resolve(trace, "sys_futex#999", symbols)


def test_executions_of_a_symbol_are_counted_wherever_it_ran(made: tuple[History, Trace]) -> None:
    history, trace = made
    first, second = (VirtualAddress(block.address(0)) for block in history.blocks[:2])
    window = (history.start, history.end)
    parts = [[t for t, _, _ in executions(history, pc, window)] for pc in (first, second)]
    assert all(parts)
    for number, t in enumerate(sorted(parts[0] + parts[1]), 1):
        assert resolve(trace, f"memcpy#{number}", lambda _: [first, second]) == t
    with pytest.raises(PositionError, match=rf"the instruction at {first:#x} or {second:#x} ran only "):
        resolve(trace, "memcpy#9999", lambda _: [first, second])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("5", "5: no such moment; the trace goes from 1000 to "),
        ("1__005", "1__005: neither a position nor a known symbol"),
        ("9" * 5000, f"{'9' * 5000}: no such moment; the trace goes from 1000 to "),
        (f"end-{'9' * 5000}", f"end-{'9' * 5000}: no such moment"),
        ("end-999999", "end-999999: no such moment; the trace goes from 1000 to "),
        ("pc=zz", "pc=zz: not an address; write it as pc=0x80200000"),
        ("pc=-4", "pc=-4: not an address; write it as pc=0x80200000"),
        ("pc=0x12", "pc=0x12: the instruction at 0x12 never ran in this trace"),
        (
            "nothing",
            "nothing: neither a position nor a known symbol; a position is a number, end, end-N, start, ",
        ),
        ("nothing#0", "nothing#0: executions are counted from #1"),
        ("", "an empty position names no moment; a position is a number, "),
    ],
)
def test_what_is_wrong_is_said(made: tuple[History, Trace], text: str, problem: str) -> None:
    with pytest.raises(PositionError) as caught:
        resolve(made[1], text, lambda _: [])
    assert str(caught.value).startswith(problem)


def test_a_guest_that_never_left_machine_mode_has_no_last_kernel(tmp_path: Path) -> None:
    machine = Machine(1, 1)
    for block in machine.history.blocks:
        block.privilege = 3
    write_trace(machine.run(3, 3), tmp_path / "machine.trace")
    with pytest.raises(PositionError, match="last-kernel: nothing ran outside M-mode"):
        resolve(Trace.open(tmp_path / "machine.trace"), "last-kernel")
