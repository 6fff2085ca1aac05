"""What became of exceptions: whether what each interrupted went on, and what its hart did instead."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tracedbg.arch import TrapKind
from tracedbg.ids import Hart, Time
from tracedbg.kernel.contexts import NO_CONTEXT, Context
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.other_work import OtherWork
from tracedbg.kernel.stints import Begin
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import iter_own, own_after, pc_at
from tracedbg.query.rows import Rows
from tracedbg.state.traps import Trap
from tracedbg.store.source import Flags, Integers, Numbers

HANDLER = 4096
"""Instructions of a handler in which it looks why it was called, or never."""
FORWARDED = 4
"""How often one exception is passed on to another handler at most."""
FORWARDS_TRIED = 1024
"""Exceptions handled at a higher privilege that are looked at for having been passed on, the last ones."""
MOST_TOLD = 32
"""Exceptions without a return that are looked at, from the beginning and from the end."""
MOST_AT_ONCE = 4
_FAULTS = (TrapKind.FETCH, TrapKind.DATA, TrapKind.INSTRUCTION, TrapKind.BREAKPOINT)


@dataclass(frozen=True)
class TrapOutcome:
    """How an exception ended.

    ``handled_from`` is where its last handler began: later than the trap where firmware passed it on.
    ``returned`` is the moment at which what it interrupted went on, None for never. ``cause_read`` tells
    whether the handler asked for the cause. ``went_on`` is when the hart came to other work afterwards: user
    mode, or a context that had been there before; None for never. ``context`` is what was interrupted.
    """

    trap: Trap
    sp: int | None
    context: Context | None
    handled_from: Time
    target: int
    returned: Time | None
    cause_read: bool
    went_on: Time | None

    @property
    def is_final(self) -> bool:
        """Whether its hart did nothing else any more."""
        return self.returned is None and self.went_on is None


class TrapOutcomes:
    """Answers from the history of a trace; immutable."""

    def __init__(self, index: TraceIndex, history: StackHistory, other_work: OtherWork) -> None:
        self._index = index
        self._history = history
        self._other_work = other_work

    @cached_property
    def faults(self) -> Rows:
        """The TRAP rows of exceptions that are no calls, in order of t."""
        rows = self._index.traps
        kinds = self._index.arch.trap_kind
        causes = [cause for cause in np.unique(rows["cause"]).tolist() if kinds(cause) in _FAULTS]
        return rows[np.isin(rows["cause"], np.array(causes, np.uint64))]

    def of_kernel(self) -> list[TrapOutcome]:
        """Return how those exceptions outside user mode ended that were not simply returned from.

        In order of t; of very many the first and the last ones.
        """
        rows = self._looked_at(self.faults["source"] != 0)
        # Firmware may pass one on that it was not meant for, by a return to another handler.
        passed_on = np.flatnonzero((rows["target"] > rows["source"]) & (rows["source"] != 0))[
            -FORWARDS_TRIED:
        ]
        chosen = self._returned_to(rows) < 0
        chosen[passed_on] = True
        return self._known(_ends(rows[chosen]))

    def of_user(self) -> list[TrapOutcome]:
        """Return how those exceptions in user mode ended that it did not go on from, as ``of_kernel``."""
        rows = self._looked_at(self.faults["source"] == 0)
        return self._known(_ends(rows[self._returned_to(rows) < 0]))

    def _looked_at(self, chosen: Flags) -> Rows:
        """Return some of the exceptions, those that the history reaches."""
        end = self._history.end
        return self.faults[chosen if end is None else chosen & (self.faults["t"] < end)]

    def _known(self, rows: Rows) -> list[TrapOutcome]:
        """Return how exceptions ended; where the history gave up, nothing tells that one was the end."""
        found = [self.outcome(row) for row in rows]
        return [one for one in found if self._history.end is None or not one.is_final]

    def have_returned(self, rows: Rows) -> Flags:
        """Say of each TRAP row whether what it interrupted simply went on."""
        return self._returned_to(rows) >= 0

    def outcome(self, row: np.void) -> TrapOutcome:
        """Return how the exception of a TRAP row ended."""
        trap, place = trap_of(row), self._stint_of(row)
        stint = self._history.stints[place]
        sp = int(stint["first"]) if stint["known"] else None
        returned = self._returned_to(np.array([row]))[0]
        handled_from, target = trap.t, trap.target
        for _ in range(FORWARDED):
            if returned < 0 or not self._is_forwarded(Time(int(returned)), trap.hart):
                break
            handled_from, target = Time(int(returned)), self._privilege_at(Time(int(returned)))
            returned = self._next_return(row, handled_from)
        found = TrapOutcome(
            trap=trap,
            sp=sp,
            context=self._interrupted(row, place),
            handled_from=handled_from,
            target=target,
            returned=None if returned < 0 else Time(int(returned)),
            cause_read=self._reads_cause(trap.hart, handled_from, target),
            went_on=None,
        )
        if found.returned is None:
            found = replace(found, returned=self._recovered(found))
        if found.returned is not None:
            return found
        went_on = self._other_work.after(trap.hart, handled_from, target, found.context)
        return replace(found, went_on=went_on)

    def _stint_of(self, row: np.void) -> int:
        """Return the index of the stint with which a trap's handler begins."""
        stints = self._history.stints
        low, high = np.searchsorted(stints["t"], [row["t"], row["t"] + 1])
        own = (stints["hart"][low:high] == row["hart"]) & (stints["begin"][low:high] == Begin.TRAP)
        own &= stints["source"][low:high] == row["source"]
        places = np.flatnonzero(own)
        return int(low + places[-1]) if len(places) else max(int(high) - 1, 0)

    def _interrupted(self, row: np.void, place: int) -> Context | None:
        """Return the context that a trap interrupted; a handler begins in it and may leave it then."""
        number = int(self._history.context_of[place])
        return None if number == NO_CONTEXT or not row["source"] else self._history.contexts[number]

    @cached_property
    def _events(self) -> "_Events":
        return _Events.of(self._history.stints)

    def _returned_to(self, rows: Rows) -> Integers:
        """Return when what each trap interrupted went on, -1 for never."""
        events = self._events
        places = np.searchsorted(events.trap_t, rows["t"])
        found = np.full(len(rows), -1, np.int64)
        # Several traps may share a moment, one for each that came before the handler's first instruction.
        for step in range(MOST_AT_ONCE):
            later = np.minimum(places + step, max(len(events.trap_t) - 1, 0))
            if len(events.trap_t):
                same = (events.trap_t[later] == rows["t"]) & (events.trap_source[later] == rows["source"])
                found = np.where(same, events.returned[later], found)
        return found

    def _next_return(self, row: np.void, after: Time) -> int:
        stint = self._history.stints[self._stint_of(row)]
        if not stint["known"]:
            return -1
        return self._events.next_return(int(row["source"]), int(stint["first"]), after)

    def _is_forwarded(self, t: Time, hart: Hart) -> bool:
        """Say whether a return from a trap led to the vector of another handler."""
        if t >= self._index.trace.end:
            return False
        pc = pc_at(self._index.trace, t, hart)
        vectors = self._index.arch.trap_vectors(lambda name: self._register(name, hart, t))
        return pc in vectors

    def _register(self, name: str, hart: Hart, t: Time) -> int | None:
        track = self._index.track(name)
        return None if track is None else track.value_at(hart, t)

    def _privilege_at(self, t: Time) -> int:
        stints = self._history.stints
        place = int(np.searchsorted(stints["t"], t, "right")) - 1
        return int(stints["privilege"][place])

    def _reads_cause(self, hart: Hart, start: Time, target: int) -> bool:
        """Say whether a handler asks for the cause, before its hart takes the next trap at its privilege."""
        store, traps = self._index.trace, self._index.traps
        later = (traps["t"] > start) & (traps["hart"] == hart) & (traps["target"] == target)
        stop = int(traps["t"][later].min()) if later.any() else store.end
        stop = min(stop, own_after(store, hart, start, HANDLER))
        for epoch, rows in iter_own(store, hart, start, Time(stop)):
            own = epoch.blocks.privilege[epoch.run_block[rows.run]] == target
            if self._index.stack_code.cause_read[rows.instruction[own]].any():
                return True
        return False

    def _recovered(self, found: TrapOutcome) -> Time | None:
        """Return when the interrupted context had given up the frames at the trap and went on above them.

        A handler may go on elsewhere, as setjmp and longjmp do, without a return from the trap to there.
        """
        if found.context is None or found.sp is None:
            return None
        stints = self._history.stints
        first = int(np.searchsorted(stints["t"], found.trap.t, "right"))
        own = self._history.context_of[first:] == found.context.number
        own &= (stints["high"][first:] > np.uint64(found.sp)) & stints["known"][first:]
        own &= stints["t"][first:] > found.trap.t
        places = np.flatnonzero(own)
        return Time(int(stints["t"][first + places[0]])) if len(places) else None


@dataclass(frozen=True)
class _Events:
    """Traps and returns by what they interrupt and go back to: ``key`` ascending, then ``t``.

    What is interrupted is told by privilege and stack pointer; ``change`` is 1 for a trap, -1 for a return.
    ``trap_t`` and ``trap_source`` are those of the traps, by t, and ``returned`` the t of the return that
    belongs to each, -1 for none.
    """

    key: Numbers
    t: Integers
    change: Integers
    trap_t: Integers
    trap_source: Numbers
    returned: Integers

    @classmethod
    def of(cls, stints: Rows) -> "_Events":
        is_trap = stints["begin"] == Begin.TRAP
        rows = np.flatnonzero((is_trap | (stints["begin"] == Begin.RETURN)) & stints["known"])
        chosen, trap = stints[rows], is_trap[rows]
        key = _key(np.where(trap, chosen["source"], chosen["privilege"]), chosen["first"])
        order = np.lexsort((rows, key))
        change = np.where(trap, 1, -1)[order]
        returned = np.full(len(rows), -1, np.int64)
        returned[order] = _matching(key[order], chosen["t"][order], change)
        own = np.flatnonzero(trap)
        return cls(
            key[order], chosen["t"][order], change, chosen["t"][own], chosen["source"][own], returned[own]
        )

    def next_return(self, privilege: int, sp: int, after: Time) -> int:
        """Return the t of the return that belongs to a trap at ``after``, -1 for none."""
        key = _key(np.array([privilege]), np.array([sp], np.uint64))[0]
        low, high = np.searchsorted(self.key, key), np.searchsorted(self.key, key, "right")
        low += np.searchsorted(self.t[low:high], after, "right")
        ended = np.flatnonzero(np.cumsum(self.change[low:high]) < 0)
        return int(self.t[low + ended[0]]) if len(ended) else -1


def _matching(key: Numbers, t: Integers, change: Integers) -> Integers:
    """Return for each trap the t of its return, as a closing bracket belongs to an opening one; else -1."""
    # Of one key, what goes up to a depth is followed at that depth by what comes down from it.
    depth = np.cumsum(change) + (change < 0)
    order = np.lexsort((np.arange(len(key)), depth, key))
    found = np.full(len(key), -1, np.int64)
    here, after = order[:-1], order[1:]
    pairs = (
        (key[here] == key[after]) & (depth[here] == depth[after]) & (change[here] > 0) & (change[after] < 0)
    )
    found[here[pairs]] = t[after[pairs]]
    return found


def _ends(rows: Rows) -> Rows:
    """Return all of a few rows, the first and the last of many."""
    return rows if len(rows) <= 2 * MOST_TOLD else np.concatenate([rows[:MOST_TOLD], rows[-MOST_TOLD:]])


def _key(privilege: Numbers | Integers, sp: Numbers) -> Numbers:
    """Return one number for a privilege and an aligned stack pointer."""
    return (sp & ~np.uint64(3)) | privilege.astype(np.uint64)


def trap_of(row: np.void) -> Trap:
    """Return the trap of a TRAP row."""
    last = int(row["last"])
    return Trap(
        t=Time(int(row["t"])),
        hart=Hart(int(row["hart"])),
        last=None if last < 0 else Time(last),
        cause=int(row["cause"]),
        epc=row["epc"].item(),
        value=int(row["tval"]),
        source=int(row["source"]),
        target=int(row["target"]),
    )
