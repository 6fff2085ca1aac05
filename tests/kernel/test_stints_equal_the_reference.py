"""Stretches of the stack pointer, and accesses to stacks, against one look at every single moment."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.building.machine import Machine
from tests.building.tracefile import write_trace
from tests.session.program import run_program, write_program
from tracedbg.format.schema import Source
from tracedbg.ids import Hart, Time
from tracedbg.kernel.contexts import NO_CONTEXT, ContextTracker
from tracedbg.kernel.stack_accesses import STACK_LIMIT, StintsUsed, stack_accesses
from tracedbg.kernel.stints import CHANGES, Begin, stints_of
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import executed_at, hart_at, has_retired, last_of_hart, next_of_hart, registers_at
from tracedbg.query.rows import Rows
from tracedbg.store import Trace

many = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
histories = st.tuples(st.integers(0, 1 << 32), st.integers(1, 3), st.sampled_from([1, 3, 9]))


@contextmanager
def opened(drawn: tuple[int, int, int] | None) -> Iterator[TraceIndex]:
    """A random machine, or for None the guest that was run by hand: calls, traps, user mode."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "machine.trace"
        if drawn is None:
            write_program(run_program(), path)
        else:
            seed, harts, epochs = drawn
            write_trace(Machine(seed, harts, start=seed % 3 * 1000).run(epochs, 8), path)
        with Trace.open(path) as trace:
            yield TraceIndex(trace)


def writes_sp(index: TraceIndex, hart: int, t: int) -> Source | None:
    """How the instruction at a moment makes the stack pointer, None where it does not."""
    executed = executed_at(index.trace, Time(t)) if index.trace.start <= t < index.trace.end else None
    if executed is None or executed.hart != hart or not has_retired(index.trace, Time(t)):
        return None
    blocks = index.trace.blocks
    return (
        Source(blocks.source[executed.instruction]) if blocks.destination[executed.instruction] == 2 else None
    )


def is_same_epoch(trace: Trace, first: Time, second: Time) -> bool:
    return trace.epoch_of(first) == trace.epoch_of(second)


def sp_at(index: TraceIndex, hart: int, t: int) -> int | None:
    """The stack pointer; the first half of an address that is made in two steps does not count."""
    last = last_of_hart(index.trace, Hart(hart), Time(t))
    following = next_of_hart(index.trace, Hart(hart), Time(t))
    if last is not None and following is not None and is_same_epoch(index.trace, last, following):
        is_constant = writes_sp(index, hart, last) is Source.CONSTANT
        if is_constant and writes_sp(index, hart, following) is not None:
            return sp_at(index, hart, last)
    values, known = registers_at(index.trace, Hart(hart), Time(t))
    return int(values[2]) if known[2] else None


def is_known_at_opening(index: TraceIndex, hart: int, t: int) -> bool:
    """Where it is not, a later keyframe may tell a moment what a history of changes does not know."""
    start = index.trace.epoch(index.trace.epoch_of(Time(t))).start
    return sp_at(index, hart, start) is not None


def moments_of(index: TraceIndex, stint: np.void) -> list[int]:
    """The moments of a stint at which its hart runs."""
    executed = [executed_at(index.trace, Time(t)) for t in range(stint["t"], stint["stop"])]
    return [item.t for item in executed if item is not None and item.hart == stint["hart"]]


def check_stints(index: TraceIndex, number: int, stints: Rows) -> None:
    epoch = index.trace.epoch(number)
    for hart in range(index.trace.guest.harts):
        own = stints[stints["hart"] == hart]
        assert np.array_equal(own["stop"][:-1], own["t"][1:])
        assert not len(own) or own["stop"][-1] == epoch.end
        ran = [t for stint in own for t in moments_of(index, stint)]
        assert ran == [t for t in range(epoch.start, epoch.end) if hart_at(index.trace, Time(t)) == hart]
        following = [*own["begin"].tolist()[1:], int(Begin.SET)]
        for stint, after in zip(own, following, strict=False):
            if stint["stop"] > stint["t"]:
                check_values(index, stint, after)


def check_values(index: TraceIndex, stint: np.void, after: int) -> None:
    """What ends a stint without setting the pointer comes after what its last instruction did to it."""
    hart, t, stop = int(stint["hart"]), int(stint["t"]), int(stint["stop"])
    seen = [sp_at(index, hart, moment) for moment in range(t, stop + (after not in CHANGES))]
    if stint["known"]:
        assert seen[0] == stint["first"]
    else:
        assert seen[0] is None or not is_known_at_opening(index, hart, t)
    executed = executed_at(index.trace, Time(t))
    if stint["begin"] not in CHANGES and executed is not None and executed.hart == hart:
        assert executed.privilege == stint["privilege"]
    values = [value for value in seen if value is not None]
    if stint["known"] and len(values) == len(seen):
        assert all(stint["low"] <= value <= stint["high"] for value in values)
        assert values[-1] == stint["last"]


def check_accesses(index: TraceIndex, number: int, stints: Rows, tracker: ContextTracker) -> None:
    contexts, tops = tracker.feed(stints)
    epoch = index.trace.epoch(number)
    found = stack_accesses(index, epoch, StintsUsed(stints, contexts, tops))
    for row, offset in enumerate(epoch.accesses.t.tolist()):
        t = epoch.start + offset
        executed = executed_at(index.trace, Time(t))
        assert executed is not None
        own = np.flatnonzero((stints["hart"] == executed.hart) & (stints["t"] <= t))
        context, top = int(contexts[own[-1]]), int(tops[own[-1]])
        sp, address = sp_at(index, executed.hart, t), int(epoch.accesses.virtual[row])
        inside = sp is not None and sp <= address < min(top, sp + STACK_LIMIT) and context != NO_CONTEXT
        assert (found.instruction[row], found.hart[row]) == (executed.instruction, executed.hart)
        assert (found.privilege[row], found.context[row]) == (executed.privilege, context)
        if is_known_at_opening(index, executed.hart, t):
            assert bool(found.in_stack[row]) == inside


@many
@given(histories | st.none())
def test_stints_cover_every_moment_with_the_stack_pointer_it_had(
    drawn: tuple[int, int, int] | None,
) -> None:
    with opened(drawn) as index:
        for number in range(index.trace.epochs):
            check_stints(index, number, stints_of(index, number))


@many
@given(histories | st.none())
def test_accesses_lie_in_the_stack_in_use_or_not(drawn: tuple[int, int, int] | None) -> None:
    with opened(drawn) as index:
        tracker = ContextTracker(index.trace.guest.harts)
        for number in range(index.trace.epochs):
            check_accesses(index, number, stints_of(index, number), tracker)


def test_the_traps_and_returns_of_the_guest_run_by_hand_begin_stints() -> None:
    with opened(None) as index:
        stints = np.concatenate([stints_of(index, number) for number in range(index.trace.epochs)])
        traps = stints[stints["begin"] == Begin.TRAP]
        assert traps["t"].tolist() == index.traps["t"].tolist()
        assert traps["source"].tolist() == index.traps["source"].tolist()
        # Every handler of that guest returns.
        assert np.count_nonzero(stints["begin"] == Begin.RETURN) == len(traps)
