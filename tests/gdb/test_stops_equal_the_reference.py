"""Runs stop where a slow scan of the history says, and backwards at the same stops in opposite order."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tracedbg
from tests.building import reference
from tests.building.machine import DEVICE_START, RAM_START, History, Machine
from tests.building.tracefile import write_trace
from tests.gdb.conftest import last_stop
from tracedbg.gdb.execution import Execution, InterruptedSearchError
from tracedbg.gdb.requests import Point, PointKind
from tracedbg.ids import Hart
from tracedbg.query.rows import Kind
from tracedbg.state import Trace

HITS = {PointKind.WRITE: Kind.WRITE, PointKind.READ: Kind.LOAD, PointKind.ACCESS: Kind.ANY}
drawn = st.tuples(
    st.integers(0, 1 << 32), st.integers(1, 3), st.sampled_from([1, 3, 9, 20, 70]), st.sampled_from([0, 1, 5])
)
many = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def opened(choice: tuple[int, int, int, int]) -> Iterator[tuple[History, Trace, Random]]:
    seed, harts, epochs, spans = choice
    history = Machine(seed, harts, start=seed % 3 * 1000).run(epochs, 2 if epochs > 20 else 5)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "machine.trace"
        write_trace(history, path, spans=spans)
        with tracedbg.open(path) as trace:
            yield history, trace, Random(seed)


def some_points(history: History, random: Random) -> list[Point]:
    """Breakpoints where code ran, and watchpoints, whose addresses are physical."""
    points = []
    for _ in range(random.randrange(3)):
        step = random.choice(history.steps)
        pc = history.blocks[step.block].address(step.place)
        points.append(Point(random.choice([PointKind.SOFTWARE, PointKind.HARDWARE]), pc, 4))
    for _ in range(random.randrange(3)):
        base = random.choice([RAM_START + random.choice([0, 56, 4090]), DEVICE_START])
        points.append(Point(random.choice(list(HITS)), base, random.choice([1, 4, 8, 200])))
    return points


def touched(history: History, point: Point) -> set[int]:
    """The t at which a watchpoint's bytes are touched; of a write, where that changes what they hold."""
    times = set()
    rows = reference.accesses(
        history, point.address, point.size, (history.start, history.end), HITS[point.kind]
    )
    for t, _, kind, *_ in rows:
        before = t - 1 if kind == Kind.CHANGE else t
        if before >= history.start and (point.kind is not PointKind.WRITE or changes(history, point, before)):
            times.add(before)
    return times


def changes(history: History, point: Point, t: int) -> bool:
    if point.address >= DEVICE_START > RAM_START or point.address < RAM_START:
        return True
    places = range(point.address, point.address + point.size)
    before, after = reference.memory_at(history, t), reference.memory_at(history, t + 1)
    return any(before.get(place) != after.get(place) for place in places)


def expected(history: History, points: list[Point]) -> list[tuple[int, bool]]:
    """All stops in order: (t, whether it is a watchpoint's); a breakpoint is the first of its t."""
    found: set[tuple[int, bool]] = set()
    for point in points:
        if point.kind.is_watch:
            found |= {(t, True) for t in touched(history, point)}
        else:
            rows = reference.executions(history, point.address, (history.start, history.end))
            found |= {(t, False) for t, _, _ in rows}
    return sorted(found)


def stops(execution: Execution, *, reverse: bool) -> list[tuple[int, bool]]:
    """Run from edge to edge as gdb does: it steps over a watchpoint's instruction without watchpoints."""
    found: list[tuple[int, bool]] = []
    stop = execution.run(lambda: None, reverse=reverse)
    while stop.edge is None:
        assert stop.hit is not None
        assert stop.hit.t == execution.t
        if not reverse or not stop.hit.kind.is_watch:
            assert stop.hart == execution.trace.at(execution.t).hart
        found.append((execution.t, stop.hit.kind.is_watch))
        stop = execution.run(lambda: None, reverse=reverse)
    return found


@many
@given(drawn)
def test_forwards_and_backwards(choice: tuple[int, int, int, int]) -> None:
    with opened(choice) as (history, trace, random):
        points = some_points(history, random)
        execution = Execution(trace, trace.start)
        execution.is_physical = True
        for point in points:
            execution.insert(point, Hart(0))
        # A run does not stop at the breakpoint that it starts from.
        wanted = [stop for stop in expected(history, points) if stop != (history.start, False)]
        assert stops(execution, reverse=False) == wanted
        assert execution.t == last_stop(trace)
        back = [(t + 1 if watch else t, watch) for t, watch in expected(history, points)]
        last = last_stop(trace)
        inside = [stop for stop in back if stop[0] < last or (stop[0] == last and stop[1])]
        assert sorted(stops(execution, reverse=True)) == sorted(inside)
        assert execution.t == trace.start


@many
@given(drawn)
def test_a_hart_steps_through_its_own_instructions_only(choice: tuple[int, int, int, int]) -> None:
    with opened(choice) as (history, trace, random):
        hart = random.choice(history.steps).hart
        own = [step.t for step in history.steps if step.hart == hart]
        execution = Execution(trace, trace.start)
        execution.go(trace.position(own[0]))
        seen = [own[0]]
        while (stop := execution.step(Hart(hart), lambda: None)).edge is None:
            assert stop.hart == hart
            seen.append(execution.t)
        # Where it is known to stand behind its last instruction, it also stops there.
        behind = own[-1] + 1
        is_told = behind <= last_stop(trace) and trace.at(behind, hart=hart).pc is not None
        assert seen == own + [behind] * is_told
        execution.go(trace.position(own[-1]))
        back = [own[-1]]
        while (stop := execution.step(Hart(hart), lambda: None, reverse=True)).edge is None:
            back.append(execution.t)
        assert back == own[::-1]


@many
@given(drawn)
def test_a_step_within_a_range_goes_on_until_the_hart_stands_outside(
    choice: tuple[int, int, int, int],
) -> None:
    with opened(choice) as (history, trace, random):
        for _ in range(8):
            now = random.choice(history.steps)
            own = [step for step in history.steps if step.hart == now.hart and step.t > now.t]
            addresses = [history.blocks[step.block].address(step.place) for step in own]
            low = random.choice([*addresses[:9], trace.at(now.t).pc or 0]) - random.choice([0, 2, 64])
            within = (low, low + random.choice([0, 4, 64, 4096, 1 << 40]))
            outside = (
                step.t
                for step, address in zip(own, addresses, strict=True)
                if not within[0] <= address < within[1]
            )
            execution = Execution(trace, trace.position(now.t))
            stop = execution.step(Hart(now.hart), lambda: None, within=within)
            target = next(outside, None)
            assert (stop.edge, execution.t) == (
                ("end", last_stop(trace)) if target is None else (None, target)
            )


@pytest.mark.parametrize("reverse", [False, True])
def test_a_search_that_is_given_up_stands_where_it_had_come_to(reverse: bool) -> None:
    with opened((3, 1, 70, 0)) as (_, trace, _):
        execution = Execution(trace, trace.end if reverse else trace.start)
        polls = 0

        def poll() -> None:
            nonlocal polls
            polls += 1
            if polls == 3:
                raise InterruptedSearchError

        execution.points.insert(Point(PointKind.HARDWARE, 0x1234, 4), lambda _address, _size: [])
        before = execution.t
        stop = execution.run(poll, reverse=reverse)
        assert stop.interrupted
        assert stop.edge is None
        assert trace.start < execution.t < trace.end - 1
        assert (execution.t < before) == reverse
