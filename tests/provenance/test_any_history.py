"""Random histories, whose code is random bytes: a walk ends, goes back in time only, and tells no lie."""

import tempfile
from pathlib import Path
from random import Random

from hypothesis import given
from hypothesis import strategies as st

import tracedbg
from tests.building import reference
from tests.building.machine import RAM_START, Machine
from tests.building.tracefile import write_trace
from tests.query.test_queries_equal_the_reference import many
from tracedbg.ids import Hart, PhysicalAddress, Time
from tracedbg.provenance import BytesAt, End, Explanation, Limits, RegisterAt, why
from tracedbg.provenance.document import explanation_document
from tracedbg.provenance.text import explanation_text


def check(found: Explanation) -> None:
    """Each step was made before what it went into, and each input that was not cut has its makers."""
    for each in found.roots:
        assert each.cut is not None or each.made_by
        assert all(found.steps[number].t <= each.place.t for number in each.made_by)
    for step in found.steps:
        assert step.end is not None or step.inputs
        for each in step.inputs:
            assert each.cut is not None or each.made_by
            assert each.place.t <= step.t
            assert all(found.steps[number].t <= step.t for number in each.made_by)
    assert explanation_text(found)
    assert explanation_document(found)["spine"] == list(found.spine)


@many
@given(st.integers(0, 1 << 32), st.integers(1, 3), st.sampled_from([1, 3, 20]))
def test_walks_through_random_histories(seed: int, harts: int, epochs: int) -> None:
    history = Machine(seed, harts).run(epochs, 5)
    random = Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "machine.trace"
        write_trace(history, path)
        with tracedbg.open(path) as trace:
            for _ in range(4):
                t, hart = Time(random.randint(history.start, history.end)), Hart(random.randrange(harts))
                check(why(trace, RegisterAt("a0", hart, t)))
                check(why(trace, RegisterAt("satp", hart, t), limits=Limits(stack=True, turns=100)))
                start = PhysicalAddress(RAM_START + random.choice([0, 56, 4090]) + random.randrange(9))
                found = why(trace, BytesAt(start, 8, t), limits=Limits(steps=1000))
                check(found)
                memory = reference.memory_at(history, t)
                for number in found.roots[0].made_by:
                    step = found.steps[number]
                    assert isinstance(step.place, BytesAt)
                    assert step.value is not None
                    for offset in range(step.place.size):
                        assert step.value >> 8 * offset & 0xFF == memory[step.place.physical + offset]
                    if step.end is End.IMAGE:
                        assert step.t == history.start
