"""How each stack stands at a moment: who uses it, what is live of it, and how low it came until then."""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from tracedbg.ids import Hart, Time
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.tasks import Task
from tracedbg.kernel.view import KernelView


class Standing(Enum):
    """What a stack is doing."""

    RUNNING = "running"
    FROZEN = "frozen"
    """Interrupted or switched away from; what is live of it has to stay as it is."""
    EMPTY = "empty"


@dataclass(frozen=True)
class StackState:
    """A stack at ``t``; ``uses`` counts how often it was begun until then.

    ``low`` is the lowest stack pointer until then. ``sp`` is None for an empty stack and where it is not
    known; what lies from there up to the top is live. ``task`` is the one that it works, or worked last, for.
    """

    stack: Stack
    t: Time
    standing: Standing
    hart: Hart
    uses: int
    first: Time
    low: int
    sp: int | None
    task: Task | None

    @property
    def left(self) -> int | None:
        """Bytes from the base to the lowest stack pointer, below 0 when that went past; None if not known."""
        return None if self.stack.base is None else self.low - self.stack.base


def stacks_at(view: KernelView, t: Time) -> tuple[StackState, ...]:
    """Return the stacks that were in use until ``t``, in order of first use."""
    lows = _lows(view, t)
    found = []
    for stack in view.stacks:
        own = [view.history.contexts[number] for number in stack.contexts]
        begun = [context for context in own if context.start <= t]
        if begun:
            found.append(_state(view, stack, begun, min(lows[context.number] for context in begun), t))
    return tuple(found)


def _state(view: KernelView, stack: Stack, begun: list[Context], low: int, t: Time) -> StackState:
    newest = max(begun, key=lambda context: context.start)
    standing, hart, sp = _standing(view, begun, t)
    return StackState(
        stack=stack,
        t=t,
        standing=standing,
        hart=Hart(newest.hart) if hart is None else hart,
        uses=len(begun),
        first=Time(min(context.start for context in begun)),
        low=low,
        sp=sp,
        task=view.task_at(Hart(newest.hart), Time(newest.start)),
    )


def _standing(view: KernelView, begun: list[Context], t: Time) -> tuple[Standing, Hart | None, int | None]:
    """Return what a stack is doing, on which hart if it is running, and its stack pointer."""
    numbers = {context.number for context in begun}
    for hart in map(Hart, range(view.trace.store.guest.harts)):
        running = view.context_at(hart, t)
        if running is not None and running.number in numbers:
            return Standing.RUNNING, hart, view.trace.at(t, hart=hart).registers.find(view.index.sp_name)
    frozen = [freeze.sp for freeze in (context.frozen_at(t) for context in begun) if freeze is not None]
    return (Standing.FROZEN, None, min(frozen)) if frozen else (Standing.EMPTY, None, None)


def _lows(view: KernelView, t: Time) -> list[int]:
    """Return the lowest stack pointer of each context until ``t``, at the place of its number."""
    stints, contexts = view.history.stints, view.history.context_of
    stop = int(np.searchsorted(stints["t"], t, "right"))
    final = np.array([context.low for context in view.history.contexts], np.uint64)
    # What lies below the lowest one was never the context's own: an address that it had its size added to.
    counts = (contexts[:stop] >= 0) & stints["known"][:stop]
    counts[counts] = stints["low"][:stop][counts] >= final[contexts[:stop][counts]]
    known = np.flatnonzero(counts)
    # Of a stint that goes on at t, what comes later does not count.
    going_on = known[stints["stop"][known] > t]
    over = known[stints["stop"][known] <= t]
    lowest = np.full(len(view.history.contexts), ~np.uint64(0), np.uint64)
    np.minimum.at(lowest, contexts[over], stints["low"][over])
    for place in going_on.tolist():
        rows = view.trace.register_writes(view.index.sp_name, between=(int(stints["t"][place]), t))
        own = rows["value"][(rows["hart"] == stints["hart"][place]) & (rows["t"] <= t)]
        values = np.append(own, stints["first"][place])
        lowest[contexts[place]] = min(lowest[contexts[place]], values.min())
    return [min(int(low), context.top) for low, context in zip(lowest, view.history.contexts, strict=True)]
