"""The stacks that a kernel's allocators made, by the hints of its author."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.call_pairs import UNPAIRED, paired
from tracedbg.kernel.hints import StackAllocator
from tracedbg.kernel.register_values import register_values
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import executions
from tracedbg.query.rows import EXECUTION, join
from tracedbg.state import Trace
from tracedbg.store.source import Integers, Numbers


class Allocation(NamedTuple):
    """A stack of ``size`` bytes from virtual address ``base`` on, there from ``t`` on.

    ``guard`` bytes below the base were allocated with it to be touched by nobody.
    """

    t: int
    base: int
    size: int
    guard: int = 0


def stack_allocations(
    trace: Trace, index: TraceIndex, allocators: Iterable[StackAllocator]
) -> list[Allocation]:
    """Return what the allocators made, in order of t; 0, for "none", is left out."""
    return sorted(found for allocator in allocators for found in _of(trace, index, allocator))


def _of(trace: Trace, index: TraceIndex, allocator: StackAllocator) -> Iterator[Allocation]:
    entries = executions(trace.store, allocator.function.address)
    times, harts = entries["t"].astype(np.int64), entries["hart"]
    returned = _returns(trace, index, times, harts)
    arguments = {
        place: register_values(index, index.arch.argument_registers[place], harts, times)
        for place in (allocator.size_argument, allocator.out_argument)
        if place is not None
    }
    for row, back in enumerate(returned):
        if back is None:
            continue
        t, hart, result = back
        size = allocator.size
        if allocator.size_argument is not None:
            values, known = arguments[allocator.size_argument]
            size = int(values[row]) if known[row] else None
        if allocator.out_argument is not None:
            values, known = arguments[allocator.out_argument]
            result = _word(trace, t, hart, int(values[row])) if known[row] else None
        if result and size and size > allocator.guard:
            base = result - size if allocator.returns_top else result
            yield Allocation(t, base + allocator.guard, size - allocator.guard, allocator.guard)


def _word(trace: Trace, t: Time, hart: Hart, address: int) -> int | None:
    return trace.at(t, hart=hart).memory.read_virtual(address, trace.recording.arch.word_size).integer


def _returns(
    trace: Trace, index: TraceIndex, times: Integers, harts: Numbers
) -> list[tuple[Time, Hart, int | None] | None]:
    """Return for each entry of a function where it returned: moment, hart and result."""
    links, links_known = register_values(index, index.arch.return_address, harts, times)
    pointers, pointers_known = register_values(index, index.sp_name, harts, times)
    callers = np.unique(links[links_known])
    behind = [executions(trace.store, VirtualAddress(pc)) for pc in callers.tolist()]
    rows, pc = join(behind, EXECUTION), np.repeat(callers, [len(part) for part in behind])
    order = np.argsort(rows["t"], kind="stable")
    rows, pc = rows[order], pc[order]
    moments = rows["t"].astype(np.int64)
    sp, sp_known = register_values(index, index.sp_name, rows["hart"], moments)
    own, other = np.flatnonzero(links_known & pointers_known), np.flatnonzero(sp_known)
    pairs = paired((times[own], [links[own], pointers[own]]), (moments[other], [pc[other], sp[other]]))
    results, known = register_values(index, index.arch.argument_registers[0], rows["hart"], moments)
    found: list[tuple[Time, Hart, int | None] | None] = [None] * len(times)
    for entry, pair in zip(own.tolist(), pairs.tolist(), strict=True):
        if pair != UNPAIRED:
            row = int(other[pair])
            result = int(results[row]) if known[row] else None
            found[entry] = (Time(int(moments[row])), Hart(int(rows["hart"][row])), result)
    return found
