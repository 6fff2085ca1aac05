"""The lowest address of a stack by its mapping: the page below it is not mapped."""

from dataclasses import replace

import numpy as np

from tracedbg.arch import AddressSpace, TrapKind
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Time, VirtualAddress
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stacks import SAME_TOP, BaseSource, Stack
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query.rows import Rows
from tracedbg.state import Moment, Trace

MOST_PAGES = 64
"""Pages of the largest stack whose base is looked for."""
FAULTS_TRIED = 16
"""Faults in one stack that are looked at."""
ALONE_PAGES = (1, 2, 4, 8, 16)
"""Pages that a region has which was mapped for one stack."""


def with_mapped_bases(
    trace: Trace, index: TraceIndex, history: StackHistory, stacks: list[Stack]
) -> list[Stack]:
    """Return the stacks, with a base where the tables tell one that was not known, at their lowest page.

    They tell nothing in a kernel that maps pages of its stacks when these are first touched.
    """
    faults = _data_faults(index)
    if any(_has_grown(trace, faults, history, stack) for stack in stacks):
        return stacks
    tops = [stack.top for stack in stacks]
    return [
        stack if stack.base is not None else _with_base(trace, stack, tops, _deepest(history, stack))
        for stack in stacks
    ]


def _deepest(history: StackHistory, stack: Stack) -> Time:
    """Return when the lowest page was used first.

    The stack pointer may be set before the tables are in use that map the stack.
    """
    rows = history.stack_pages[np.isin(history.stack_pages["context"], stack.contexts)]
    if not len(rows):
        return Time(stack.low_t)
    return Time(int(rows["first"][rows["page"] == rows["page"].min()].min()))


def _data_faults(index: TraceIndex) -> Rows:
    """Return the TRAP rows of accesses outside user mode that trapped."""
    rows = index.traps[index.traps["source"] != 0]
    causes = [
        cause for cause in np.unique(rows["cause"]).tolist() if index.arch.trap_kind(cause) is TrapKind.DATA
    ]
    found: Rows = rows[np.isin(rows["cause"], np.array(causes, np.uint64))]
    return found


def _has_grown(trace: Trace, faults: Rows, history: StackHistory, stack: Stack) -> bool:
    """Say whether a page of a stack was not mapped when it was touched first, and was stored to later."""
    inside = faults[(faults["tval"] >= _page(stack.low)) & (faults["tval"] < stack.top)]
    if not len(inside):
        return False
    pages = history.stack_pages[np.isin(history.stack_pages["context"], stack.contexts)]
    for row in inside[:FAULTS_TRIED]:
        own = pages["page"] == int(row["tval"]) // PAGE_SIZE
        if bool(np.any(own & (pages["last"] >= row["t"]))):
            moment = trace.at(Time(int(row["t"])))
            walk = moment.translate(VirtualAddress(int(row["tval"])))
            if walk.physical is None:
                return True
    return False


def _with_base(trace: Trace, stack: Stack, tops: list[int], t: Time) -> Stack:
    pages = _Pages.at(trace, stack, t)
    if pages is None:
        return stack
    base = pages.base_of(stack)
    if base is None:
        base = pages.base_alone(stack, tops)
    return stack if base is None else replace(stack, base=base, base_source=BaseSource.MAPPING)


class _Pages:
    """Which pages are mapped, one by one, at a moment."""

    def __init__(self, moment: Moment, space: AddressSpace) -> None:
        self._moment = moment
        self._space = space

    @classmethod
    def at(cls, trace: Trace, stack: Stack, t: Time) -> "_Pages | None":
        """Return the pages of the space that a stack lies in, None where nothing is translated."""
        moment = trace.at(Time(min(t, trace.end)))
        if moment.satp is None or moment.privilege is None or stack.privilege != moment.privilege:
            return None
        space = moment.address_space()
        return cls(moment, space) if space is not None and space.is_translated else None

    def base_of(self, stack: Stack) -> int | None:
        """Return the base of a stack that was used down to its last page, or past it."""
        lowest, last = _page(stack.low), _page(stack.top - 1)
        if last - lowest >= MOST_PAGES * PAGE_SIZE:
            return None
        base = last + PAGE_SIZE
        while base > lowest and self._is_small(base - PAGE_SIZE):
            base -= PAGE_SIZE
        return base if base <= last and not self._is_mapped(base - PAGE_SIZE) else None

    def base_alone(self, stack: Stack, tops: list[int]) -> int | None:
        """Return the base of a stack that has a mapped region for itself, with nothing mapped around it."""
        last = _page(stack.top - 1)
        if self._is_mapped(last + PAGE_SIZE) or last + PAGE_SIZE - stack.top > SAME_TOP:
            return None
        base = last + PAGE_SIZE
        while self._is_small(base - PAGE_SIZE) and last - base < max(ALONE_PAGES) * PAGE_SIZE:
            base -= PAGE_SIZE
        others = [top for top in tops if base < top <= last + PAGE_SIZE and top != stack.top]
        size = (last - base) // PAGE_SIZE + 1
        is_alone = size in ALONE_PAGES and not others and not self._is_mapped(base - PAGE_SIZE)
        return base if is_alone and base <= stack.low else None

    def _is_small(self, page: int) -> bool:
        walk = self._moment.translate(VirtualAddress(page), space=self._space)
        return walk.physical is not None and walk.page_size == PAGE_SIZE

    def _is_mapped(self, page: int) -> bool:
        return self._moment.translate(VirtualAddress(page), space=self._space).physical is not None


def _page(address: int) -> int:
    return address // PAGE_SIZE * PAGE_SIZE
