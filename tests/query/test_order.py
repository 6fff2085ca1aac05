"""What holds at a moment when several things happen around it."""

from pathlib import Path

import pytest

from tests.building.machine import (
    RAM_START,
    REGISTERS,
    Change,
    CodeBlock,
    History,
    Insn,
    Keyframe,
    StateRow,
    Step,
    Touch,
)
from tests.building.tracefile import write_trace
from tracedbg.format.schema import NEVER, AccessKind, Cause, LateKind, Source
from tracedbg.ids import Hart, PhysicalAddress, RegisterId, Time
from tracedbg.query import Kind, accesses, last_write, memory_at, next_write, register_writes, registers_at
from tracedbg.store import Trace

PLACE = PhysicalAddress(RAM_START)


def store(value: int) -> Touch:
    return Touch(True, 1, AccessKind.RAM, RAM_START, [RAM_START], value)


def history(*touches: list[Touch], destination: int = 0) -> History:
    """One hart and one instruction after the other, each making the given accesses."""
    source = Source.RECORDED if destination else Source.NONE
    block = CodeBlock(0x1000, 0x1000, NEVER, 3, [Insn(4, destination, source, 0, b"\0\0\0\0")])
    steps = [Step(t, 0, 0, 0, True, 100 + t, made) for t, made in enumerate(touches)]
    return History(1, 0, [block], {}, steps, epoch_starts=[0])


def opened(made: History, path: Path) -> Trace:
    write_trace(made, path / "order.trace")
    return Trace.open(path / "order.trace")


def test_a_change_comes_after_the_store_before_it_and_before_the_store_at_its_t(tmp_path: Path) -> None:
    made = history([store(1)], [store(2)])
    made.changes.append(Change(0, 1, 0, RAM_START, 7, Cause.DMA))
    trace = opened(made, tmp_path)
    values = [int(memory_at(trace, PLACE, 1, Time(t))[0][0]) for t in range(3)]
    assert values == [0, 7, 2]
    rows = accesses(trace, (PLACE, 1))
    assert rows[["t", "kind"]].tolist() == [(0, Kind.STORE), (1, Kind.CHANGE), (1, Kind.STORE)]


def test_a_change_at_the_end_is_the_last_write_there_and_no_next_one(tmp_path: Path) -> None:
    made = history([store(1)], [])
    made.changes.append(Change(0, 2, 0, RAM_START, 9, Cause.UNEXPLAINED))
    trace = opened(made, tmp_path)
    last, following = last_write(trace, (PLACE, 1), Time(2)), next_write(trace, (PLACE, 1), Time(1))
    assert last is not None
    assert last == following
    assert (last.t, last.cause, last.hart, last.virtual) == (2, Cause.UNEXPLAINED, None, None)
    assert next_write(trace, (PLACE, 1), Time(2)) is None


@pytest.mark.parametrize(
    ("late", "expected"),
    [(None, None), (LateKind.VALUE, 100), (LateKind.NO_VALUE, None), (LateKind.NOT_RETIRED, 55)],
)
def test_an_open_instruction_is_settled_by_its_late_row(
    tmp_path: Path, late: LateKind | None, expected: int | None
) -> None:
    made = history([], [], destination=5)
    made.epoch_starts.append(1)
    made.steps[0].is_open, made.steps[0].late, made.steps[0].late_epoch = True, late, 1
    made.keyframes.append(Keyframe(0, 0, 0, [0] + [55] * (len(REGISTERS) - 1)))
    trace = opened(made, tmp_path)
    values, known = registers_at(trace, Hart(0), Time(1))
    assert (int(values[5]) if known[5] else None) == expected
    writes = register_writes(trace, RegisterId(5), between=(Time(0), Time(1)))
    assert len(writes) == (0 if late is LateKind.NOT_RETIRED else 1)


def test_a_range_without_bytes_is_refused(tmp_path: Path) -> None:
    trace = opened(history([]), tmp_path)
    with pytest.raises(ValueError, match="a range of 0 bytes at 0x80000000 holds no memory"):
        accesses(trace, (PLACE, 0))


def test_an_open_instruction_that_may_write_any_register_leaves_all_unknown_until_its_hart_runs_again(
    tmp_path: Path,
) -> None:
    made = history([], [], [])
    made.blocks[0].insns[0].source = Source.ANY
    made.steps[0].is_open = True
    made.keyframes.append(Keyframe(0, 0, 0, [0] + [55] * (len(REGISTERS) - 1)))
    made.states.append(StateRow(0, 2, 0, 7, 77))
    trace = opened(made, tmp_path)
    known = [registers_at(trace, Hart(0), Time(t))[1] for t in range(4)]
    assert [row.sum() for row in known] == [len(REGISTERS), 1, 2, 2]
    assert int(registers_at(trace, Hart(0), Time(3))[0][7]) == 77


def test_a_store_that_runs_into_a_page_that_nothing_is_known_of_writes_what_is_known(tmp_path: Path) -> None:
    start = RAM_START + 4096 - 3
    lost = Touch(True, 8, AccessKind.RAM, start, [start, start + 1, start + 2], 0x8877665544332211)
    trace = opened(history([lost]), tmp_path)
    content, _ = memory_at(trace, PhysicalAddress(start - 1), 8, Time(1))
    assert content.tolist() == [0, 0x11, 0x22, 0x33, 0, 0, 0, 0]
    assert memory_at(trace, PhysicalAddress(0), 8, Time(1))[1].sum() == 0
