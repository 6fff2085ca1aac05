"""A walk back ends exactly at the events of which a plain run forward makes the value."""

from random import Random

import pytest

from tests.provenance.forward import events_of, harts_that_ran, snapshots, touched_bytes
from tracedbg.ids import PhysicalAddress, Time
from tracedbg.provenance import BytesAt, Limits, RegisterAt, why
from tracedbg.state import Trace

pytestmark = pytest.mark.slow
WITHOUT_END = Limits(steps=1_000_000, seconds=600.0, turns=1_000_000, stack=True)


def test_every_register_at_many_moments(crashed: Trace) -> None:
    moments = {*range(crashed.start + 1, crashed.end, 7), crashed.end}
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
