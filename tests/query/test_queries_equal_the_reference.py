"""Every query is held equal to a slow reference over random histories."""

import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from random import Random

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.building import reference
from tests.building.machine import DEVICE_START, OTHER_START, RAM_START, History, Machine
from tests.building.tracefile import write_trace
from tracedbg import query
from tracedbg.ids import Frame, Hart, PhysicalAddress, RegisterId, Time, VirtualAddress
from tracedbg.query.rows import Access, Kind
from tracedbg.store import Trace

histories = st.tuples(
    st.integers(0, 1 << 32), st.integers(1, 3), st.sampled_from([1, 3, 9, 20, 70]), st.sampled_from([0, 1, 5])
)
Drawn = tuple[int, int, int, int]

many = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@contextmanager
def opened(drawn: Drawn) -> Iterator[tuple[History, Trace, Random]]:
    seed, harts, epochs, spans = drawn
    history = Machine(seed, harts, start=seed % 3 * 1000).run(epochs, 2 if epochs > 20 else 5)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "machine.trace"
        write_trace(history, path, spans=spans)
        with Trace.open(path) as trace:
            yield history, trace, Random(seed)


def some_range(random: Random) -> tuple[PhysicalAddress, int]:
    base = random.choice(
        [
            RAM_START + 4096 * random.randrange(3) + random.choice([0, 56, 60, 4080, 4090]),
            OTHER_START,
            DEVICE_START,
        ]
    )
    return PhysicalAddress(base + random.randrange(9)), random.choice([1, 4, 8, 8, 200, 5000, 12000])


def some_window(random: Random, history: History) -> tuple[Time, Time]:
    edges = [history.start, history.end, *history.epoch_starts, random.randint(history.start, history.end)]
    low, high = sorted(random.choices(edges, k=2))
    return Time(low), Time(high)


def some_moments(random: Random, history: History) -> list[Time]:
    edges = random.choices(history.epoch_starts, k=3)
    return [Time(t) for t in [history.start, history.end, *edges, random.randint(history.start, history.end)]]


@many
@given(histories)
def test_memory_at_any_moment(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for t in some_moments(random, history):
            memory = reference.memory_at(history, t)
            start, size = some_range(random)
            content, known = query.memory_at(trace, start, size, t)
            expected = [memory.get(place) for place in range(start, start + size)]
            assert [
                int(byte) if sure else None for byte, sure in zip(content, known, strict=True)
            ] == expected


@many
@given(histories)
def test_a_page_at_many_moments(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for frame in (RAM_START >> 12, (RAM_START >> 12) + 2, OTHER_START >> 12, DEVICE_START >> 12):
            for t in some_moments(random, history):
                memory = reference.memory_at(history, t)
                content, known = query.page_at(trace, Frame(frame), t)
                expected = [memory.get(place) for place in range(frame << 12, frame + 1 << 12)]
                assert [
                    int(byte) if sure else None for byte, sure in zip(content, known, strict=True)
                ] == expected


@many
@given(histories)
def test_which_writes_change_bytes(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        start, size = RAM_START + random.choice([0, 1, 56, 4090]), random.choice([1, 4, 8, 200])
        where = (PhysicalAddress(start), size)
        rows = query.accesses(trace, where, kind=Kind.STORE)
        changed = query.changing(trace, where, query.accesses(trace, where, kind=Kind.WRITE))
        everything = query.accesses(trace, where, kind=Kind.WRITE)
        assert len(changed) == len(everything)
        for t in {int(t) for t in rows["t"]}:
            own = (everything["t"] == t) & (everything["kind"] == Kind.STORE)
            others = np.any((everything["t"] == t + 1) & (everything["kind"] == Kind.CHANGE))
            if np.count_nonzero(own) == 1 and not others:
                before, after = (reference.memory_at(history, moment) for moment in (t, t + 1))
                differs = any(before[place] != after[place] for place in range(start, start + size))
                assert changed[own].tolist() == [differs]


@many
@given(histories)
def test_changing_writes_are_found_epoch_by_epoch_in_both_directions(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for size in (1, 2, 8, 200):
            where = (PhysicalAddress(RAM_START + random.choice([0, 1, 56, 4090])), size)
            between = some_window(random, history)
            rows = query.accesses(trace, where, between=between, kind=Kind.WRITE)
            expected = rows[query.changing(trace, where, rows)].tolist()
            forward = list(query.iter_changing(trace, where, between=between))
            backward = list(query.iter_changing(trace, where, between=between, reverse=True))
            for parts in (forward, backward[::-1]):
                assert [row for part in parts for row in part.tolist()] == expected


@many
@given(histories, st.sampled_from([Kind.ANY, Kind.LOAD, Kind.STORE, Kind.CHANGE, Kind.WRITE]))
def test_accesses(drawn: Drawn, kind: Kind) -> None:
    fields = ["t", "hart", "kind", "size", "virtual", "physical", "second", "value"]
    with opened(drawn) as (history, trace, random):
        for _ in range(4):
            where, between = some_range(random), some_window(random, history)
            rows = query.accesses(trace, where, between=between, kind=kind)
            assert rows[fields].tolist() == reference.accesses(history, *where, between, kind)
            backward = list(query.iter_accesses(trace, where, between=between, kind=kind, reverse=True))
            assert [row for part in reversed(backward) for row in part.tolist()] == rows.tolist()


@many
@given(histories)
def test_last_and_next_access(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for t in some_moments(random, history):
            where = some_range(random)
            before, after = (Time(history.start), t), (t, Time(history.end))
            for kind, last, following in (
                (Kind.WRITE, query.last_write, query.next_write),
                (Kind.LOAD, query.last_read, query.next_read),
            ):
                assert key(last(trace, where, t)) == first(
                    reference.accesses(history, *where, before, kind)[-1:]
                )
                if t > history.start:
                    expected = first(reference.accesses(history, *where, after, kind)[:1])
                    assert key(following(trace, where, t)) == expected


def key(access: Access | None) -> tuple[int, int, int] | None:
    return None if access is None else (access.t, access.physical, access.value)


def first(rows: list[reference.AccessRow]) -> tuple[int, int, int] | None:
    return (rows[0][0], rows[0][5], rows[0][7]) if rows else None


@many
@given(histories)
def test_executions(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        step = random.choice(history.steps)
        ran = history.blocks[step.block].address(step.place)
        for pc in (VirtualAddress(ran), VirtualAddress(ran + 2), VirtualAddress(0)):
            between = some_window(random, history)
            assert query.executions(trace, pc, between=between).tolist() == reference.executions(
                history, pc, between
            )
            t = Time(random.randint(history.start, history.end))
            earlier = reference.executions(history, pc, (history.start, t))
            later = reference.executions(history, pc, (t, history.end))
            assert query.last_execution(trace, pc, t) == (earlier[-1][0] if earlier else None)
            assert query.next_execution(trace, pc, t) == (later[0][0] if later else None)


@many
@given(histories)
def test_registers_at_any_moment(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for t in some_moments(random, history):
            for hart in range(history.harts):
                values, known = query.registers_at(trace, Hart(hart), t)
                found = [int(value) if sure else None for value, sure in zip(values, known, strict=True)]
                assert found == reference.registers_at(history, hart, t)


@many
@given(histories, st.sampled_from([0, 1, 2, 3, 4, 5, 6, 20, 32, 33]))
def test_register_writes(drawn: Drawn, register: int) -> None:
    with opened(drawn) as (history, trace, random):
        between = some_window(random, history)
        opening = between[0] == history.start
        for hart in (None, Hart(0)):
            rows = query.register_writes(trace, RegisterId(register), between=between, hart=hart)
            expected = [
                (event.moment, event.hart, event.value)
                for event in reference.register_events(history)
                if event.register == register
                and (hart is None or event.hart == hart)
                and between[0] + (0 if opening else 1) <= event.moment <= between[1]
            ]
            found = [
                (int(row["t"]), int(row["hart"]), int(row["value"]) if row["known"] else None) for row in rows
            ]
            assert found == expected


@many
@given(histories)
def test_what_runs_at_a_moment(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for t in some_moments(random, history):
            step = history.steps[t - history.start] if t < history.end else None
            block = None if step is None else history.blocks[step.block]
            pc = None if block is None or step is None else block.address(step.place)
            assert query.pc_at(trace, t) == pc
            assert query.privilege_at(trace, t) == (None if block is None else block.privilege)
            assert query.hart_at(trace, t) == (step or history.steps[-1]).hart
            for hart in map(Hart, range(history.harts)):
                assert query.next_of_hart(trace, hart, t) == reference.next_of_hart(history, hart, t)
                assert query.last_of_hart(trace, hart, t) == reference.last_of_hart(history, hart, t)


@many
@given(histories)
def test_instructions_counted_on_one_hart(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        epoch = trace.epoch(random.randrange(trace.epochs))
        for t, hart in product(some_moments(random, history), map(Hart, range(history.harts))):
            own = [step.t for step in history.steps if step.hart == hart]
            later, earlier = [at for at in own if at >= t], [at for at in own if at < t]
            for count in (1, 2, random.randint(3, 50), len(later) or 1, len(earlier) or 1):
                after = later[count - 1] + 1 if count <= len(later) else history.end
                assert query.own_after(trace, hart, t, count) == after
                back = earlier[-count] if count <= len(earlier) else history.start
                assert query.own_back(trace, hart, t, count) == back
            stop = Time(random.randint(t, history.end))
            ran = [
                epoch.start + int(at) for epoch, rows in query.iter_own(trace, hart, t, stop) for at in rows.t
            ]
            assert ran == [at for at in own if t <= at < stop]
        for hart in map(Hart, range(history.harts)):
            own = [step.t for step in history.steps if step.hart == hart and step.t >= epoch.start]
            counts = query.own_before(epoch, hart, np.arange(epoch.length + 1))
            assert counts.tolist() == [bisect_left(own, epoch.start + at) for at in range(epoch.length + 1)]


@pytest.mark.parametrize("seed", range(3))
def test_a_history_without_one_level_of_spans_gives_the_same_memory(seed: int) -> None:
    for spans in (0, 1, 2, 5):
        with opened((seed, 2, 70, spans)) as (history, trace, _):
            content, known = query.memory_at(trace, PhysicalAddress(RAM_START), 3 * 4096, Time(history.end))
            memory = reference.memory_at(history, history.end)
            assert content.tolist() == [memory[place] for place in range(RAM_START, RAM_START + 3 * 4096)]
            assert known.all()
