"""A walk back ends exactly at the events of which a plain run forward makes the value."""

from pathlib import Path
from random import Random

import pytest

import tracedbg
from tests.provenance.forward import events_of, harts_that_ran, snapshots, touched_bytes
from tests.recorder.generator import build, generate
from tests.recorder.recording import record
from tracedbg.ids import PhysicalAddress, Time
from tracedbg.provenance import BytesAt, Explanation, Limits, RegisterAt, why
from tracedbg.state import Trace

pytestmark = pytest.mark.slow
WITHOUT_END = Limits(steps=1_000_000, seconds=600.0, turns=1_000_000, stack=True)


def test_every_register_at_many_moments(crashed: Trace) -> None:
    moments = {*range(crashed.start + 1, crashed.end, 23), crashed.end}
    arch = crashed.recording.arch
    names = [
        name
        for name in (*arch.integer_registers, *arch.float_registers, "mscratch", "mepc")
        if name != "zero"
    ]
    for t, expected in snapshots(crashed, moments).items():
        for hart in harts_that_ran(crashed, t):
            for name in names:
                found = why(crashed, RegisterAt(name, hart, Time(t)), limits=WITHOUT_END)
                assert events_of(found) == expected.register(hart, name), (t, hart, name)


def test_ranges_of_bytes_at_many_moments(crashed: Trace) -> None:
    random = Random(1)
    moments = {*random.sample(range(crashed.start, crashed.end), 20), crashed.end}
    places = touched_bytes(crashed)
    for t, expected in snapshots(crashed, moments).items():
        for _ in range(20):
            start, size = random.choice(places) - random.randrange(4), random.choice([1, 2, 8, 24])
            found = why(crashed, BytesAt(PhysicalAddress(start), size, Time(t)), limits=WITHOUT_END)
            made = frozenset().union(*(expected.byte(place) for place in range(start, start + size)))
            assert events_of(found) == made, (t, hex(start), size)


@pytest.mark.parametrize(("seed", "harts"), [(0, 1), (5, 3)])
def test_random_guests_with_traps_translation_atomics_and_floating_point(
    seed: int, harts: int, tmp_path: Path
) -> None:
    program = generate(seed, harts=harts)
    path = record(program, build(program, tmp_path), check_registers=False)
    random, compared = Random(seed), 0
    with tracedbg.open(path) as trace:
        moments = {*(random.randrange(trace.start, trace.end) for _ in range(20)), trace.end}
        names = [name for name in trace.recording.arch.registers if name not in ("zero", "fcsr", "mstatus")]
        for t, expected in snapshots(trace, moments).items():
            for hart in harts_that_ran(trace, t):
                for name in random.sample(names, 12):
                    found = why(trace, RegisterAt(name, hart, Time(t)), limits=WITHOUT_END)
                    made = expected.register(hart, name)
                    assert events_of(found) <= made, (t, hart, name)
                    # Of fcsr only changes are recorded: exceptions that were raised before add nothing.
                    if not passes_through(found, "fcsr"):
                        assert events_of(found) == made, (t, hart, name)
                        compared += 1
    assert compared > 200


def passes_through(found: Explanation, name: str) -> bool:
    return any(isinstance(step.place, RegisterAt) and step.place.name == name for step in found.steps)
