"""One pass over a whole trace: the stacks in use, what they touched, and what user mode touched."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracedbg.ids import Hart, Time
from tracedbg.kernel.contexts import NO_CONTEXT, Context, ContextTracker
from tracedbg.kernel.footprints import SPACE, STACK_PAGE, USER_PAGE, Footprints, footprints
from tracedbg.kernel.saved_registers import SUSPECT, SlotShadow
from tracedbg.kernel.stack_accesses import StintsUsed, stack_accesses
from tracedbg.kernel.stints import STINT, Aliases, stints_of
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query.rows import Rows
from tracedbg.store.blocks import prefix_sum
from tracedbg.store.source import Integers, Numbers

AHEAD = 3
"""Epochs that are read while another one is looked at."""

MOST_STINTS = 6 << 20
MOST_CONTEXTS = 1 << 20
"""What is kept of one trace at most, so that traps over and over do not fill the memory."""

Progress = Callable[[int, int], None]
"""Called with the epochs done and the epochs altogether; may raise to give up."""


def no_progress(done: int, of: int) -> None:
    """The Progress that tells nobody."""


@dataclass(frozen=True)
class StackHistory:
    """What a pass over a trace found.

    ``stints`` are STINT rows of all harts in order of t, ``context_of`` the number of each one's context
    (NO_CONTEXT for none); ``epoch_places`` are the index of each epoch's first stint, and their number.
    ``stack_pages``, ``user_pages`` and ``spaces`` are STACK_PAGE, USER_PAGE and SPACE rows, those of pages
    at most one an epoch for each; ``table_frames`` the frames that got page-table entries, ascending, and
    ``table_epochs`` the first epoch of each. ``suspects`` and ``strays`` are SUSPECT rows, ``misreads``
    MISREAD rows. ``is_partial`` tells that there were more stack frames or suspects than are kept track of,
    and ``end`` is where the pass gave up because there was too much to keep, None where it went through the
    whole trace.
    """

    contexts: list[Context]
    stints: Rows
    context_of: Integers
    epoch_places: Integers
    stack_pages: Rows
    user_pages: Rows
    spaces: Rows
    table_frames: Integers
    table_epochs: Integers
    suspects: Rows
    strays: Rows
    misreads: Rows
    is_partial: bool
    end: Time | None

    @cached_property
    def tops(self) -> Numbers:
        """The top of each context."""
        return np.array([context.top for context in self.contexts], np.uint64)

    def bounds(self, number: int) -> tuple[int, int]:
        """Return the index of an epoch's first stint, and that of the first after it."""
        return int(self.epoch_places[number]), int(self.epoch_places[number + 1])

    def context_at(self, hart: Hart, t: Time) -> Context | None:
        """Return the context that a hart runs in at a moment."""
        place = self.stint_at(hart, t)
        number = NO_CONTEXT if place is None else int(self.context_of[place])
        return None if number == NO_CONTEXT else self.contexts[number]

    def stint_at(self, hart: Hart, t: Time) -> int | None:
        """Return the index of the stint that holds a moment of a hart, None where none is known."""
        if self.end is not None and t >= self.end:
            return None
        place = int(np.searchsorted(self.stints["t"], t, "right")) - 1
        while place >= 0 and self.stints["hart"][place] != hart:
            place -= 1
        return place if place >= 0 else None


def read_history(
    index: TraceIndex, progress: Progress = no_progress, aliases: Aliases | None = None
) -> StackHistory:
    """Go through a trace; takes some 50 ns an instruction."""
    tracker, shadow = ContextTracker(index.trace.guest.harts), SlotShadow(index)
    parts = _Parts()
    for number, stints in enumerate(_iter_stints(index, aliases)):
        progress(number, index.trace.epochs)
        contexts, tops = tracker.feed(stints)
        epoch = index.trace.epoch(number)
        found = stack_accesses(index, epoch, StintsUsed(stints, contexts, tops))
        parts.add(number, stints, contexts, footprints(index, epoch, found))
        parts.suspects.append(shadow.feed(epoch, found, tracker.contexts))
        if parts.kept > MOST_STINTS or len(tracker.contexts) > MOST_CONTEXTS:
            parts.end = None if number + 1 == index.trace.epochs else epoch.end
            break
    progress(index.trace.epochs, index.trace.epochs)
    return parts.joined(tracker.contexts, shadow, index.trace.epochs)


def _iter_stints(index: TraceIndex, aliases: Aliases | None) -> Iterator[Rows]:
    """Yield the stints of each epoch; the next epochs are read meanwhile."""
    waiting: deque[Future[Rows]] = deque()
    with ThreadPoolExecutor(max_workers=1) as pool:
        for number in range(index.trace.epochs):
            waiting.append(pool.submit(stints_of, index, number, aliases))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


class _Parts:
    """What the epochs gave, one after the other."""

    def __init__(self) -> None:
        self.stints: list[Rows] = [np.empty(0, STINT)]
        self.contexts: list[Integers] = [np.empty(0, np.int64)]
        self.stack: list[Rows] = [np.empty(0, STACK_PAGE)]
        self.user: list[Rows] = [np.empty(0, USER_PAGE)]
        self.spaces: list[Rows] = [np.empty(0, SPACE)]
        self.suspects: list[Rows] = [np.empty(0, SUSPECT)]
        self.kept = 0
        self.end: Time | None = None
        self._tables: dict[int, int] = {}

    def add(self, number: int, stints: Rows, contexts: Integers, found: Footprints) -> None:
        self.kept += len(stints)
        self.stints.append(stints)
        self.contexts.append(contexts)
        self.stack.append(found.stack)
        self.user.append(found.user)
        self.spaces.append(found.spaces)
        for frame in found.tables.tolist():
            self._tables.setdefault(frame, number)

    def joined(self, contexts: list[Context], shadow: SlotShadow, epochs: int) -> StackHistory:
        tables = sorted(self._tables.items())
        lengths = np.zeros(epochs, np.int64)
        lengths[: len(self.stints) - 1] = [len(part) for part in self.stints[1:]]
        return StackHistory(
            contexts=contexts,
            stints=np.concatenate(self.stints),
            context_of=np.concatenate(self.contexts),
            epoch_places=prefix_sum(lengths),
            stack_pages=np.concatenate(self.stack),
            user_pages=np.concatenate(self.user),
            spaces=np.concatenate(self.spaces),
            table_frames=np.array([frame for frame, _ in tables], np.int64),
            table_epochs=np.array([number for _, number in tables], np.int64),
            suspects=np.concatenate(self.suspects),
            strays=shadow.strays,
            misreads=shadow.misreads,
            is_partial=shadow.is_full,
            end=self.end,
        )
