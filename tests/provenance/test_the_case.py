"""The shipped failing run: what ruined the timeout of the futex, and where it came from."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg
from tests.guests.timeouts import Timeout, iter_timeouts
from tracedbg.provenance import BytesAt, Cut, End, Step, why
from tracedbg.state import Trace

SHIPPED = Path(__file__).parents[2] / "traces/stack_futex.bin"


@pytest.fixture(scope="module")
def failed() -> Iterator[Trace]:
    with tracedbg.open(SHIPPED) as trace:
        yield trace


@pytest.fixture(scope="module")
def ruined(failed: Trace) -> Timeout:
    return next(timeout for timeout in iter_timeouts(failed) if not timeout.is_plausible)


def name_of(step: Step) -> str:
    return "" if step.symbol is None else step.symbol.name


def test_the_seconds_are_a_return_address_that_a_trap_entry_saved(failed: Trace, ruined: Timeout) -> None:
    found = why(failed, (ruined.physical, 8), at=ruined.t)
    store, link = found.steps
    assert found.spine == (0, 1)
    assert (store.kind, name_of(store), store.value) == ("store", "trap_entry", ruined.seconds)
    assert (link.kind, link.end, link.value) == ("call", End.RETURN_ADDRESS, ruined.seconds)
    assert store.line is not None
    assert store.line.file.endswith("kernel/trap.S")
    assert found.stack_of == 0
    functions = [frame.function for frame in found.stack]
    assert functions[0] == "trap_entry"
    assert {"sys_openat", "fs_lookup", "block_cache_read"} <= set(functions)


def test_the_nanoseconds_are_a_stack_pointer_that_went_through_sscratch(
    failed: Trace, ruined: Timeout
) -> None:
    found = why(failed, (ruined.physical + 8, 8), at=ruined.t)
    assert [step.text.split(" ")[0] for step in found.steps] == ["sd", "csrrw", "csrrw"]
    assert {name_of(step) for step in found.steps} == {"trap_entry"}
    (stack,) = [each for each in found.cuts if each.cut is Cut.STACK_POINTER]
    assert stack.value == ruined.nanoseconds


def test_the_user_read_it_by_another_address_than_the_kernel_wrote_it(failed: Trace, ruined: Timeout) -> None:
    pointer = failed.at(ruined.t).registers["a3"]
    assert pointer is not None
    found = why(failed, (pointer, 16), at=ruined.t, virtual=True)
    (root,) = found.roots
    assert root.value == ruined.seconds | ruined.nanoseconds << 64
    places = [root.place, *(found.steps[number].place for number in root.made_by)]
    virtual = [place.virtual for place in places if isinstance(place, BytesAt)]
    assert virtual == [pointer, ruined.physical + 8, ruined.physical]


def test_the_pointer_was_saved_and_restored_many_times(failed: Trace, ruined: Timeout) -> None:
    found = why(failed, "a3", at=ruined.t)
    (restored,) = [step for step in found.steps if step.kind == "restored"]
    assert "times since" in restored.text
    assert found.ends[0].end is End.CONSTANT
