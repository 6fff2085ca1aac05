"""Moments are held equal to a slow reference over random histories."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracedbg
from tests.building import reference
from tests.building.machine import RAM_FRAMES, RAM_START, Change, History, Machine
from tests.building.tracefile import write_trace
from tracedbg.arch.riscv64.registers import INTEGER
from tracedbg.errors import PositionError, UsageError
from tracedbg.format.schema import Cause
from tracedbg.state import Trace

histories = st.tuples(
    st.integers(0, 1 << 32), st.integers(1, 3), st.sampled_from([1, 3, 9, 20]), st.sampled_from([1, 2, 5])
)
Drawn = tuple[int, int, int, int]

many = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def opened(drawn: Drawn) -> Iterator[tuple[History, Trace, Random]]:
    seed, harts, epochs, spans = drawn
    history = Machine(seed, harts, start=seed % 3 * 1000).run(epochs, 5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "machine.trace"
        write_trace(history, path, spans=spans)
        with tracedbg.open(path) as trace:
            yield history, trace, Random(seed)


def moments(random: Random, history: History) -> list[int]:
    edges = random.choices(history.epoch_starts, k=2)
    return [history.start, history.end, *edges, *(random.randint(history.start, history.end) for _ in "ab")]


def epoch_of(history: History, t: int) -> int:
    return max(index for index, start in enumerate(history.epoch_starts) if start <= t)


def touches_frame(history: History, epoch: int, frame: int) -> bool:
    steps = history.epoch_steps(epoch)
    places = {place // 4096 for step in steps for touch in step.touches for place in touch.places}
    changed = {change.physical // 4096 for change in history.changes if change.epoch == epoch}
    return frame in places | changed


def is_uncertain(history: History, t: int, place: int, value: int) -> bool:
    """The rule of state.uncertainty, for one byte."""
    here = epoch_of(history, t)
    later = range(here + 1, len(history.epoch_starts))
    following = next((epoch for epoch in later if touches_frame(history, epoch, place // 4096)), None)
    return any(
        change.epoch in (here, following) and may_have_changed(history, change, t, place, value)
        for change in history.changes
    )


def may_have_changed(history: History, change: Change, t: int, place: int, value: int) -> bool:
    index = place - change.physical
    if not 0 <= index < 8 or change.cause is not Cause.DMA or not change.since <= t < change.moment:
        return False
    between = history.steps[t - history.start : change.moment - history.start]
    touched = any(place in touch.places for step in between for touch in step.touches)
    return not touched and change.value >> (8 * index) & 0xFF != value


@many
@given(histories)
def test_physical_memory(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for t in moments(random, history):
            memory = reference.memory_at(history, t)
            start = RAM_START + 4096 * random.randrange(RAM_FRAMES) + random.choice([0, 56, 4080])
            size = random.choice([1, 8, 40, 100])
            size = min(size, RAM_START + 4096 * RAM_FRAMES - start)
            expected = [
                None if is_uncertain(history, t, place, memory[place]) else memory[place]
                for place in range(start, start + size)
            ]
            assert list(trace.at(t).memory.read_physical(start, size).values) == expected


@many
@given(histories)
def test_registers_and_what_the_hart_stands_at(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for t in moments(random, history):
            for hart in range(history.harts):
                moment = trace.at(t, hart=hart)
                assert list(moment.registers.values()) == reference.registers_at(history, hart, t)
                assert moment.registers["fp"] == moment.registers["x8"] == moment.registers["s0"]
                following = reference.next_of_hart(history, hart, t)
                # Where a hart stands that does not run again: test_where_a_run_ends.py.
                if following is not None:
                    step = history.steps[following - history.start]
                    assert moment.pc == history.blocks[step.block].address(step.place)


def test_register_names_are_those_of_the_abi() -> None:
    with opened((1, 1, 1, 5)) as (history, trace, _):
        moment = trace.at(history.start)
        assert list(moment.registers)[:32] == list(INTEGER)
        with pytest.raises(UsageError, match="rax: no register of this trace"):
            moment.registers["rax"]
        assert moment.registers.get("rax") is None


def test_what_lies_outside_is_refused_in_a_sentence() -> None:
    with opened((2, 2, 3, 5)) as (history, trace, _):
        with pytest.raises(PositionError, match=f"the trace goes from {history.start} to {history.end}"):
            trace.at(history.end + 1)
        with pytest.raises(UsageError, match="the guest's harts are 0 to 1"):
            trace.at(history.start, hart=2)
        memory = trace.at(history.start).memory
        with pytest.raises(UsageError, match="outside the 64-bit address space"):
            memory.read_physical((1 << 64) - 4, 8)
        assert memory.read_physical((1 << 64) - 8, 8).mask == bytes(8)
        assert memory.read_physical(0x1000_0000, 4).gaps[0].reason == "device uart answers there"
