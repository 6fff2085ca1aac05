"""Pointers into frames of a stack that were left before they were used.

Storing through a pointer into the frames of a stack that stands still is how one thread hands another a
result. It goes wrong where the frame that the pointer was made for is gone, and the place is in use again.
"""

from tracedbg.ids import Time
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stack_rises import StackRises
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.provenance import Cut, Explanation, Limits, RegisterAt, Role, why
from tracedbg.query import Access
from tracedbg.state import Trace

LIMITS = Limits(steps=24, seconds=1.0)
"""A pointer is passed on by few steps; what takes more is not judged."""
STORE_ALONE = Limits(steps=1, seconds=1.0)


class StrayPointers:
    """Tells old pointers from good ones; immutable."""

    def __init__(self, trace: Trace, index: TraceIndex, history: StackHistory) -> None:
        self._trace = trace
        self._index = index
        self._history = history
        self._rises = StackRises(index, history)

    def made_for_left_frame(self, owner: Context, store: Access) -> Time | None:
        """Return when the address of a store into a stack was made, if what it pointed to is gone since.

        None where it is not, and where the address was not computed from that stack's pointer: the memory
        of a stack has an owner who may have good reasons to write to it.
        """
        made = self._made(store)
        if made is None or store.virtual is None:
            return None
        t, maker, _ = made
        if not maker.low <= store.virtual < maker.top:
            return None
        if maker.number != owner.number:
            is_over = maker.stop is not None and maker.stop <= owner.start
            return t if is_over else None
        return t if self._rises.was_above(owner, store.virtual, t, store.t) else None

    def is_made_for(self, owner: Context, store: Access, low: int) -> bool:
        """Say whether a store's address comes from a pointer into frames of ``owner`` from ``low`` up.

        It was computed from the stack pointer, and lies no higher than the store. Who is given a pointer to
        where a trap saved registers may be there to change them.
        """
        made = self._made(store)
        if made is None or store.virtual is None:
            return False
        _, maker, pointer = made
        return maker.number == owner.number and pointer is not None and low <= pointer <= store.virtual

    def _made(self, store: Access) -> tuple[Time, Context, int | None] | None:
        """Return when an address was computed from a stack pointer, in which use of it, and the result.

        None where the address comes from elsewhere.
        """
        address = self._address_of(store)
        if address is None:
            return None
        found = why(self._trace, address, at=store.t, limits=LIMITS)
        if not found.spine:
            return None
        last = found.steps[found.spine[-1]]
        from_stack = any(each.cut is Cut.STACK_POINTER and each.role is Role.VALUE for each in last.inputs)
        if not from_stack or last.hart is None:
            return None
        context = self._history.context_at(last.hart, last.t)
        return None if context is None else (last.t, context, last.value)

    def _address_of(self, store: Access) -> RegisterAt | None:
        """Return the register that a store had its address from, None where that is the stack pointer."""
        after = Time(store.t + 1)
        found: Explanation = why(self._trace, (store.physical, store.size), at=after, limits=STORE_ALONE)
        for step in found.steps:
            if step.t == store.t:
                for each in step.inputs:
                    if each.role is Role.ADDRESS and isinstance(each.place, RegisterAt):
                        return None if each.place.name == self._index.sp_name else each.place
        return None
