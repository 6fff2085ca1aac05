"""Uses of stacks: from the moment at which a stack pointer is first set there until it is abandoned.

A context is what a kernel thread, a system call or an interrupt handler is to its stack. While another one
runs it is frozen, and what lies from its stack pointer up to its top is to stay as it is.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from tracedbg.kernel.stints import Begin
from tracedbg.query.rows import Rows
from tracedbg.store.source import Integers, Numbers

NO_CONTEXT = -1
USER = 0
FRESH = 96
"""Instructions after a trap in which a handler takes the stack that it is going to use."""
LARGEST_FRAME = 1024
"""Bytes of the registers that a context begins with."""
TRAPS_KEPT = 16
SETS = (Begin.SET, Begin.FRAME_POINTER)
SMALLEST_ADDRESS = 4096
"""Stack pointers below are none: kernels put a zero there for "no stack"."""


class Freeze(NamedTuple):
    """A context stood still from moment ``t`` on at ``sp``, and went on there at ``thaw`` (None: never)."""

    t: int
    sp: int
    thaw: int | None


@dataclass(slots=True)
class Context:
    """One use of a stack, by virtual addresses; ``top`` is the highest value of its stack pointer.

    ``start`` is its first moment, ``stop`` the first after it ended (None while it may go on), ``low`` the
    lowest stack pointer and ``low_t`` when it was reached first. ``from_user`` tells that a trap from user
    mode began it; ``within`` is the context that was interrupted in the same stack and lies below ``top``.
    ``backing`` tells stacks at the same addresses in several address spaces apart.
    """

    number: int
    hart: int
    privilege: int
    start: int
    top: int
    low: int
    low_t: int
    from_user: bool
    within: int | None = None
    backing: int = 0
    stop: int | None = None
    freezes: list[Freeze] = field(default_factory=list)

    @property
    def last_t(self) -> int:
        """The last moment at which it is known to have been in use; far away where it ran to the end."""
        if self.stop is not None:
            return self.stop
        stands_still = bool(self.freezes) and self.freezes[-1].thaw is None
        return self.freezes[-1].t if stands_still else 1 << 62

    def frozen_at(self, t: int) -> Freeze | None:
        """Return how the context stands still at a moment, None where it runs or is over."""
        found = next((freeze for freeze in reversed(self.freezes) if freeze.t <= t), None)
        return found if found is not None and (found.thaw is None or t < found.thaw) else None


@dataclass(slots=True)
class _Trap:
    """A trap that a hart handles: ``taken`` and ``begun`` to be handled after so many of its instructions.

    Traps that came in between count for nothing. ``sp`` and ``context`` are those of what was interrupted.
    """

    begun: int
    taken: int
    sp: int
    context: int
    from_user: bool


@dataclass(slots=True)
class _Hart:
    """What a hart is doing."""

    current: int = NO_CONTEXT
    sp: int = 0
    privilege: int = 3
    traps: "list[_Trap]" = field(default_factory=list)
    left: int = NO_CONTEXT
    left_sp: int = 0
    begun: int = NO_CONTEXT
    """The context that began when the stack pointer was last set, NO_CONTEXT where none did."""
    begun_clock: int = 0
    backing: int = 0
    before: "_Before | None" = None
    """Where it was before the stack pointer was last set, unless the address space had just changed."""
    switched: int = -FRESH
    clock: int = 0
    """The instructions that it has started; what other harts do meanwhile does not count."""


class _Before(NamedTuple):
    """Where a hart was before its stack pointer was last set, after ``clock`` of its instructions."""

    clock: int
    context: int
    sp: int
    backing: int


class ContextTracker:
    """Takes the stints of all epochs in order, and tells to which context each belongs.

    ``contexts`` grows by one for each that begins, at the place of its number.
    """

    def __init__(self, harts: int) -> None:
        self.contexts: list[Context] = []
        self._harts = [_Hart() for _ in range(harts)]
        self._frozen: dict[tuple[int, int], int] = {}

    def feed(self, stints: Rows) -> tuple[Integers, Numbers]:
        """Return for each stint the number of its context (NO_CONTEXT for none) and that context's top."""
        columns = [stints[name].tolist() for name in _BEGINNING]
        values = [stints[name].tolist() for name in _POINTER]
        numbers, tops = [], []
        for row in zip(*columns, *values, strict=True):
            number, top = self._step(_Stint(*row))
            numbers.append(number)
            tops.append(top)
        return np.array(numbers, np.int64), np.array(tops, np.uint64)

    def _step(self, stint: "_Stint") -> tuple[int, int]:
        hart = self._harts[stint.hart]
        if not stint.privilege:
            self._enter_user(hart, stint)
        elif not stint.known or stint.first < SMALLEST_ADDRESS:
            self._leave(hart, stint.t)
        elif stint.begin == Begin.TRAP:
            self._take_trap(hart, stint)
        elif stint.begin == Begin.SPACE:
            self._change_space(hart, stint)
        elif stint.begin in SETS or (stint.begin == Begin.START and stint.place != (hart.sp, hart.backing)):
            self._set(hart, stint)
        elif stint.begin == Begin.RETURN:
            self._return(hart)
        elif stint.begin == Begin.RAISE and hart.current == hart.begun != NO_CONTEXT:
            self._raise(hart, self.contexts[hart.current], stint)
        hart.privilege, hart.sp, hart.backing = stint.privilege, stint.last, stint.backing
        hart.clock += stint.own
        if hart.current == NO_CONTEXT:
            return NO_CONTEXT, 0
        return hart.current, self._extend(self.contexts[hart.current], stint)

    def _extend(self, context: Context, stint: "_Stint") -> int:
        if not stint.known:
            return context.top
        context.top = max(context.top, stint.high)
        if stint.low < context.low:
            context.low, context.low_t = stint.low, stint.t
        return context.top

    def _enter_user(self, hart: _Hart, stint: "_Stint") -> None:
        """A return to user mode ends the context that made it; its stack is used from the top next time.

        The user's stack pointer was set just before, which looked like a switch to another stack.
        """
        if hart.privilege:
            for number in (hart.left, hart.current):
                if number != NO_CONTEXT and self.contexts[number].stop is None:
                    self._end(self.contexts[number], stint.t)
        hart.current = hart.left = NO_CONTEXT
        hart.before = None

    def _end(self, context: Context, t: int) -> None:
        context.stop = t
        last = context.freezes[-1] if context.freezes else None
        if last is not None and last.thaw is None:
            context.freezes.pop()
            self._forget(context, last)

    def _leave(self, hart: _Hart, t: int) -> None:
        """Freeze the hart's context where it stands."""
        hart.left, hart.left_sp = hart.current, hart.sp
        if hart.current != NO_CONTEXT:
            own = self.contexts[hart.current]
            own.freezes.append(Freeze(t, hart.sp, None))
            self._frozen[hart.sp, own.backing] = hart.current
        hart.current = NO_CONTEXT

    def _forget(self, context: Context, freeze: Freeze) -> None:
        """Take a context that stood still out of those that may go on."""
        if self._frozen.get((freeze.sp, context.backing)) == context.number:
            del self._frozen[freeze.sp, context.backing]

    def _take_trap(self, hart: _Hart, stint: "_Stint") -> None:
        if not stint.source:
            hart.current = hart.left = NO_CONTEXT
            hart.traps.clear()
        hart.traps.append(_Trap(hart.clock, hart.clock, stint.first, hart.current, not stint.source))
        del hart.traps[:-TRAPS_KEPT]

    def _return(self, hart: _Hart) -> None:
        if hart.traps:
            inner = hart.traps.pop()
            if hart.traps:
                hart.traps[-1].begun += hart.clock - inner.taken

    def _set(self, hart: _Hart, stint: "_Stint") -> None:
        sp, current = stint.first, hart.current
        hart.before = None
        if stint.begin == Begin.SET and hart.clock - hart.switched > FRESH:
            hart.before = _Before(hart.clock, current, hart.sp, hart.backing)
        hart.begun = NO_CONTEXT
        trap = hart.traps[-1] if hart.traps and hart.clock - hart.traps[-1].begun <= FRESH else None
        if current != NO_CONTEXT and stint.backing == hart.backing:
            if sp == hart.sp or self._stays(hart, self.contexts[current], stint, trap):
                return
            own = self.contexts[current]
            if _is_untouched(own) and 0 < sp - own.top <= LARGEST_FRAME:
                # A frame that was prepared for it is popped by loading the stack pointer out of it.
                own.low, own.low_t = sp, stint.t
                return
        self._leave(hart, stint.t)
        thawed = self._frozen.get(stint.place)
        if trap is not None and trap.context not in (NO_CONTEXT, current):
            # Handlers that look whether the stack has room put their stack pointer aside for that.
            thawed = trap.context if sp == trap.sp else thawed
        if thawed is not None and self._thaw(self.contexts[thawed], stint.t):
            hart.current = thawed
            return
        hart.current = self._begin(hart, stint, trap is not None and trap.from_user)
        hart.begun, hart.begun_clock = hart.current, hart.clock

    def _change_space(self, hart: _Hart, stint: "_Stint") -> None:
        """A switch of address spaces is one of stacks where these have the same addresses.

        The stack pointer is set shortly before or afterwards, or stays the same; in between nothing is
        pushed, and a context that begins there is none.
        """
        if stint.backing == hart.backing:
            return
        before = hart.before
        if before is not None and hart.clock - before.clock <= FRESH and before.backing == hart.backing:
            self._take_back(hart, before)
        hart.before, hart.switched = None, hart.clock
        self._leave(hart, stint.t)
        thawed = self._frozen.get(stint.place)
        if thawed is not None and self._thaw(self.contexts[thawed], stint.t):
            hart.current = thawed

    def _take_back(self, hart: _Hart, before: _Before) -> None:
        """Go back to where the hart was before its stack pointer was set to that of the next space."""
        if before.context not in (NO_CONTEXT, hart.current):
            own = self.contexts[before.context]
            if not own.freezes or not self._thaw(own, own.freezes[-1].t):
                # It goes on elsewhere, or is over.
                return
        if hart.current not in (NO_CONTEXT, before.context):
            self._end(self.contexts[hart.current], self.contexts[hart.current].start)
        hart.current, hart.sp = before.context, before.sp

    def _stays(self, hart: _Hart, own: Context, stint: "_Stint", trap: "_Trap | None") -> bool:
        """Say whether a stack pointer that was set further up in its own stack still belongs to it.

        Not where a handler begins above what it interrupted, nor where another context stands still there.
        """
        sp = stint.first
        if not hart.sp < sp <= own.top or (trap is not None and sp > trap.sp):
            return False
        if stint.begin == Begin.FRAME_POINTER:
            return True
        if hart.traps and hart.traps[-1].context == own.number and hart.traps[-1].sp == sp:
            return own.within is None or self._frozen.get(stint.place) != own.within
        return stint.place not in self._frozen

    def _raise(self, hart: _Hart, context: Context, stint: "_Stint") -> None:
        """A context that was begun at the lowest address of its stack really begins at the top of it."""
        if hart.clock - hart.begun_clock <= FRESH and not context.freezes:
            context.top = context.low = stint.first
            context.low_t = stint.t

    def _thaw(self, context: Context, t: int) -> bool:
        """Let a context go on; False where it does not stand still."""
        last = context.freezes[-1] if context.freezes else None
        if last is None or last.thaw is not None:
            return False
        self._forget(context, last)
        context.freezes[-1] = last._replace(thaw=t)
        return True

    def _begin(self, hart: _Hart, stint: "_Stint", from_user: bool) -> int:
        number, within = len(self.contexts), None
        if hart.left != NO_CONTEXT:
            left = self.contexts[hart.left]
            within = left.number if hart.left_sp < stint.first <= left.top else None
        self.contexts.append(
            Context(
                number=number,
                hart=stint.hart,
                privilege=stint.privilege,
                start=stint.t,
                top=stint.first,
                low=stint.first,
                low_t=stint.t,
                from_user=from_user,
                within=within,
                backing=stint.backing,
            )
        )
        return number


def _is_untouched(context: Context) -> bool:
    """Say whether a context has pushed nothing yet."""
    return context.low == context.top and not context.freezes


class _Stint(NamedTuple):
    """A STINT row as Python numbers."""

    t: int
    hart: int
    begin: int
    privilege: int
    source: int
    known: bool
    own: int
    backing: int
    first: int
    low: int
    high: int
    last: int

    @property
    def place(self) -> tuple[int, int]:
        """Where the stack pointer is at first, and what tells the stacks there apart."""
        return self.first, self.backing


_BEGINNING = ("t", "hart", "begin", "privilege", "source", "known", "own", "backing")
_POINTER = ("first", "low", "high", "last")
