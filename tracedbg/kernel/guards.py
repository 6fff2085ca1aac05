"""Guard pages: what lies right below a kernel stack so that running out of it is noticed.

A page below a stack's known base is one where the tables have nothing for it while they have the stack, or
where a symbol or tracedbg.toml says so. The frame behind it is told where something shows it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from tracedbg.arch import AddressSpace
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stack_allocations import Allocation
from tracedbg.kernel.stacks import Stack
from tracedbg.query import accesses
from tracedbg.state import Moment, Trace
from tracedbg.symbols import SymbolAt

MOST_PAGES = 16
"""Pages of the largest guard."""
_NAMED = re.compile(r"(?:^|[_.:])(?:guard|red_?zone)", re.IGNORECASE)


class GuardSource(Enum):
    """How a page is known to be a guard, or a frame to be behind one."""

    HINT = "tracedbg.toml"
    SYMBOL = "the object's name"
    UNMAPPED = "nothing is mapped there, below a stack that is"
    ENTRY = "its page-table entry names the frame and is not valid"
    LEFT_OUT = "inferred: left out of what is mapped in one piece, and not touched while the stack is in use"


@dataclass(frozen=True)
class Guard:
    """The page at ``page`` guards the end of ``stack``; ``frame`` is None where none is known behind it."""

    stack: Stack
    page: VirtualAddress
    source: GuardSource
    frame: Frame | None

    @property
    def text(self) -> str:
        """What it is, in a few words."""
        return f"guard page below {self.stack.name}"


class GuardPages:
    """Answers from the stacks of a trace; immutable."""

    def __init__(
        self,
        trace: Trace,
        history: StackHistory,
        stacks: Sequence[Stack],
        allocations: Sequence[Allocation] = (),
    ) -> None:
        self._trace = trace
        self._history = history
        self._allocations = [found for found in allocations if found.guard]
        self._stacks = sorted(
            (stack for stack in stacks if stack.base is not None), key=lambda stack: stack.base or 0
        )
        self._bases = np.array([stack.base for stack in self._stacks], np.uint64)

    def find_at(self, address: int, t: Time) -> Guard | None:
        """Return the guard that a virtual address lies in at ``t``, None where it is in none."""
        place = int(np.searchsorted(self._bases, np.uint64(address), "right"))
        if place == len(self._stacks):
            return None
        stack = self._stacks[place]
        return self._guard(stack, VirtualAddress(address // PAGE_SIZE * PAGE_SIZE), t)

    def find_behind(self, frame: Frame, t: Time) -> Guard | None:
        """Return the guard that a frame lies behind at ``t``: kept for it, though perhaps not mapped.

        Looks at the stacks in the frames right above, for a guard is allocated with its stack.
        """
        for stack, page in self._near(frame):
            guard = self._guard(stack, page, t)
            if guard is not None and guard.frame == frame:
                return guard
        return None

    def first_uses_near(self, frame: Frame) -> list[int]:
        """Return when the stacks whose guard a frame may be were first used, for histories."""
        contexts = self._history.contexts
        return [min(contexts[number].start for number in stack.contexts) for stack, _ in self._near(frame)]

    def _near(self, frame: Frame) -> Iterator[tuple[Stack, VirtualAddress]]:
        """Yield the stacks that ever were in frames right above one, each with the page that may guard it."""
        rows = self._history.stack_pages
        above = rows["frame"] - frame
        rows = rows[(above > 0) & (above <= MOST_PAGES)]
        seen = set()
        for page in np.unique(rows["page"] - (rows["frame"] - frame))[::-1].tolist():
            place = int(np.searchsorted(self._bases, np.uint64(page * PAGE_SIZE), "right"))
            if place < len(self._stacks) and place not in seen:
                seen.add(place)
                yield self._stacks[place], VirtualAddress(page * PAGE_SIZE)

    def _guard(self, stack: Stack, page: VirtualAddress, t: Time) -> Guard | None:
        assert stack.base is not None
        if not 0 < stack.base - page <= MOST_PAGES * PAGE_SIZE:
            return None
        moment = self._trace.at(t)
        space = self._space_of(stack, moment)
        said = self._said(stack, page, t)
        if said is not None:
            physical = moment.translate(page, space=space).physical
            if physical is not None:
                return Guard(stack, page, said, Frame(physical // PAGE_SIZE))
        if space is None or not all(
            self._is_unmapped(moment, space, VirtualAddress(between))
            for between in range(stack.base // PAGE_SIZE * PAGE_SIZE - PAGE_SIZE, page - 1, -PAGE_SIZE)
        ):
            return None
        source, frame = self._behind(moment, space, stack, page)
        return Guard(stack, page, said or source, frame)

    def _space_of(self, stack: Stack, moment: Moment) -> AddressSpace | None:
        """Return the address space in use that has the stack's lowest page, None for none that translates."""
        own = moment.address_space()
        assert stack.base is not None
        for space in (() if own is None else (own,)) + moment.address_spaces():
            if space.is_translated and moment.translate(stack.base, space=space).physical is not None:
                return space
        return None

    def _said(self, stack: Stack, page: VirtualAddress, t: Time) -> GuardSource | None:
        """Return what says of a page that it is a guard, whatever the tables have."""
        for made in self._allocations:
            if made.t <= t and made.base == stack.base and made.base - made.guard <= page:
                return GuardSource.HINT
        found = self._trace.symbols.at(page)
        return GuardSource.SYMBOL if found is not None and _is_guard(found, stack, page) else None

    def _offset(self, moment: Moment, space: AddressSpace, page: VirtualAddress) -> int | None:
        physical = moment.translate(page, space=space).physical
        return None if physical is None else page - physical

    def _is_unmapped(self, moment: Moment, space: AddressSpace, page: VirtualAddress) -> bool:
        walk = moment.translate(page, space=space)
        is_known = all(level.value is not None for level in walk.levels)
        return is_known and walk.physical is None

    def _behind(
        self, moment: Moment, space: AddressSpace, stack: Stack, page: VirtualAddress
    ) -> tuple[GuardSource, Frame | None]:
        """Return how a page that is not mapped is known to be a guard, and the frame behind it."""
        last = moment.translate(page, space=space).levels[-1]
        named = self._trace.recording.arch.frame_named(last.value or 0)
        if not last.level and named and self._trace.store.guest.is_ram(PhysicalAddress(named * PAGE_SIZE)):
            return GuardSource.ENTRY, Frame(named)
        frame = self._left_out(moment, space, stack, page)
        return (GuardSource.UNMAPPED if frame is None else GuardSource.LEFT_OUT), frame

    def _left_out(
        self, moment: Moment, space: AddressSpace, stack: Stack, page: VirtualAddress
    ) -> Frame | None:
        """Return the frame of a page by its neighbours, where those on both sides are mapped in one piece."""
        assert stack.base is not None
        wanted = page
        lowest = stack.base - MOST_PAGES * PAGE_SIZE
        above = moment.translate(stack.base, space=space).physical
        while page > lowest and self._is_unmapped(moment, space, page_below(page)):
            page = page_below(page)
        around = [*range(stack.base, stack.top, PAGE_SIZE), page_below(page), page_below(page_below(page))]
        offsets = {self._offset(moment, space, VirtualAddress(other)) for other in around}
        if above is None or len(offsets) > 1 or None in offsets:
            return None
        frame = Frame((wanted - (stack.base - above)) // PAGE_SIZE)
        own = [self._history.contexts[number] for number in stack.contexts]
        used = Time(min(one.start for one in own)), Time(max(min(one.last_t, self._trace.end) for one in own))
        where = (PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE)
        return None if len(accesses(self._trace.store, where, between=used)) else frame


def page_below(page: VirtualAddress) -> VirtualAddress:
    """Return the page below one."""
    return VirtualAddress(page - PAGE_SIZE)


def _is_guard(found: SymbolAt, stack: Stack, page: VirtualAddress) -> bool:
    """Say whether an object is called a guard and ends where a stack begins."""
    end = found.start + found.size
    return bool(_NAMED.search(found.demangled)) and found.start <= page and end == stack.base
