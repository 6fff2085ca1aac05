"""The last write of a register or byte, found backwards, is the one that a loop over everything finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.building import reference
from tests.building.machine import DEVICE_START, OTHER_START, RAM_START, Change, History, Step
from tests.query.test_queries_equal_the_reference import Drawn, histories, many, opened, some_moments
from tracedbg import query
from tracedbg.format.schema import AccessKind, Source
from tracedbg.ids import Hart, PhysicalAddress, RegisterId, Time

Last = tuple[int, int, int, int] | None
"""t, kind (0 a change, 1 a store), number of the access at that t, index of the byte in it."""


@many
@given(histories, st.sampled_from([0, 1, 2, 3, 4, 5, 6, 20, 32, 33]))
def test_last_register_write(drawn: Drawn, register: int) -> None:
    with opened(drawn) as (history, trace, random):
        for t in some_moments(random, history):
            for hart in range(history.harts):
                events = [
                    event
                    for event in reference.register_events(history)
                    if event.register == register and event.hart == hart and event.moment <= t
                ]
                found = query.last_register_write(trace, RegisterId(register), Hart(hart), t)
                if not events:
                    assert found is None
                    continue
                last = events[-1]
                assert found is not None
                assert (found.t, found.instruction, found.value) == (
                    last.moment,
                    last.instruction,
                    last.value,
                )


@many
@given(histories)
def test_last_chosen_instruction(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        flags = trace.blocks.source == random.choice([Source.NONE, Source.LOAD_64, Source.CONSTANT])
        first = trace.blocks.first
        for t in some_moments(random, history):
            for hart in range(history.harts):
                expected = [
                    step.t
                    for step in history.steps
                    if step.hart == hart and step.t < t and flags[first[step.block] + step.place]
                    and (step.retired or (step.is_open and step.late is None))
                ]  # fmt: skip
                found = query.last_chosen(trace, Hart(hart), t, flags)
                assert found == (expected[-1] if expected else None)


@many
@given(histories, st.sampled_from([1, 4, 8, 100, 5000]))
def test_last_writers(drawn: Drawn, size: int) -> None:
    with opened(drawn) as (history, trace, random):
        for t in some_moments(random, history):
            start = (
                RAM_START + 4096 * random.randrange(2) + random.choice([0, 56, 4090]) + random.randrange(9)
            )
            pieces = query.last_writers(trace, (PhysicalAddress(start), size), t)
            assert [piece.physical for piece in pieces] == [
                start, *(piece.physical + piece.size for piece in pieces[:-1])
            ]  # fmt: skip
            assert sum(piece.size for piece in pieces) == size
            writers = last_of_each_byte(history, t)
            memory = reference.memory_at(history, t)
            for piece in pieces:
                for offset in range(piece.size):
                    place = piece.physical + offset
                    expected = writers.get(place)
                    if piece.access is None:
                        assert expected is None
                    else:
                        kind = int(piece.access.cause is None)
                        assert expected == (piece.access.t, kind, piece.access.value, piece.skip + offset)
                        assert piece.value is not None
                        assert piece.value >> 8 * offset & 0xFF == memory[place]


def last_of_each_byte(history: History, t: int) -> dict[int, Last]:
    writers: dict[int, Last] = {}
    for event in reference.iter_events(history):
        if isinstance(event, Change):
            if event.moment <= t:
                places = range(event.physical, event.physical + 8)
                writers |= {place: (event.moment, 0, event.value, i) for i, place in enumerate(places)}
        elif event[0].t < t and event[1].store and event[1].kind is AccessKind.RAM:
            step, touch = event
            writers |= {place: (step.t, 1, touch.value, i) for i, place in enumerate(touch.places)}
    return writers


@many
@given(histories)
def test_accesses_of_an_instruction(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, _):
        for step in history.steps:
            rows = query.accesses_of(trace, Time(step.t))
            expected = [(touch.places[0], touch.size, touch.value) for touch in step.touches]
            assert rows[["physical", "size", "value"]].tolist() == expected


@many
@given(histories)
def test_straight_since(drawn: Drawn) -> None:
    with opened(drawn) as (history, trace, random):
        for t in {random.randrange(history.start, history.end) for _ in range(6)}:
            assert query.straight_since(trace, Time(t)) == straight_since(history, t)
        with pytest.raises(ValueError, match="no instruction runs"):
            query.straight_since(trace, trace.end)


def straight_since(history: History, t: int) -> int:
    """Back over the hart's instructions, as long as each lies right behind the one before."""
    steps = [step for step in history.steps if step.hart == history.steps[t - history.start].hart]
    place = next(index for index, step in enumerate(steps) if step.t == t)
    while place and end_of(history, steps[place - 1]) == start_of(history, steps[place]):
        place -= 1
    return steps[place].t


def start_of(history: History, step: Step) -> int:
    return history.blocks[step.block].address(step.place)


def end_of(history: History, step: Step) -> int:
    return history.blocks[step.block].address(step.place + 1)


def test_a_range_that_is_too_long_is_refused() -> None:
    with opened((1, 1, 1, 5)) as (_, trace, _), pytest.raises(ValueError, match="more than"):
        query.last_writers(trace, (PhysicalAddress(RAM_START), 1 << 20), trace.end)


def test_what_is_not_ram_has_no_last_writer() -> None:
    with opened((1, 2, 20, 5)) as (_, trace, _):
        for start in (DEVICE_START, OTHER_START):
            (piece,) = query.last_writers(trace, (PhysicalAddress(start), 8), trace.end)
            assert piece.access is None
