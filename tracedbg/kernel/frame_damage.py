"""Live frames of a stack that were stored over by someone else, or past the end of a buffer.

A closer look at the suspects of kernel.saved_registers: one is convicted when the bytes had been put there by
the same use of the stack, had not been popped since, and came back different.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tracedbg.ids import Hart, PhysicalAddress, Time
from tracedbg.kernel.contexts import FRESH, Context
from tracedbg.kernel.frame_accesses import FrameAccesses, frame_accesses
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.stack_rises import StackRises
from tracedbg.kernel.stack_slots import SLOT_BYTES
from tracedbg.kernel.stints import Begin
from tracedbg.kernel.stray_pointers import StrayPointers
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Access, Kind, accesses, executed_at, own_after, own_back
from tracedbg.query.accesses import Range
from tracedbg.query.rows import Rows
from tracedbg.state import Trace
from tracedbg.store.source import Flags

TRIED_OF_A_KIND = 3
"""Suspects with the same load and the same store that are looked at."""
RESTORING = 64
"""Instructions in which a trap handler restores registers and returns."""


@dataclass(frozen=True)
class FrameDamage:
    """``context`` loaded at ``load`` what ``store`` had left in its live frames.

    ``register`` is the one that the load restores, None where it is no restore. ``spill`` is the store that
    had saved it, None where the damage is known otherwise. ``intruder`` is the context that made ``store``,
    None for user mode and the like; ``in_stack`` tells that the store went to the intruder's own stack.
    ``pointer_t`` is when the address of the store was made, for a frame that has been left since; None where
    that is not what went wrong.
    """

    context: Context
    load: Access
    store: Access
    register: str | None
    spill: Access | None
    intruder: Context | None
    in_stack: bool
    pointer_t: Time | None = None

    @property
    def is_own(self) -> bool:
        """Whether the use of the stack ruined its own frames."""
        return self.intruder is not None and self.intruder.number == self.context.number

    @property
    def is_over_interrupted(self) -> bool:
        """Whether a handler took the stack that it had interrupted from a place above the live frames."""
        return self.intruder is not None and self.intruder.within == self.context.number


class FrameDamages:
    """The convicted suspects of a trace."""

    def __init__(self, trace: Trace, index: TraceIndex, history: StackHistory) -> None:
        self._trace = trace
        self._index = index
        self._history = history
        self._rises = StackRises(index, history)
        self._pointers = StrayPointers(trace, index, history)

    @cached_property
    def all(self) -> tuple[FrameDamage, ...]:
        """Every damage that is proved, in order of the load's t."""
        found = [*self._iter(), *filter(None, map(self._stray, self._history.strays))]
        return tuple(sorted(found, key=lambda damage: damage.load.t))

    def _iter(self) -> Iterator[FrameDamage]:
        tried: dict[tuple[int, int, int], int] = {}
        for row in self._history.suspects:
            load, store = (executed_at(self._trace.store, Time(int(row[n]))) for n in ("t", "writer_t"))
            if load is None or store is None:
                continue
            key = (load.pc, store.pc, int(row["context"]) if row["foreign"] else -1)
            if tried.get(key, 0) >= TRIED_OF_A_KIND:
                continue
            found = self._foreign(row) if row["foreign"] else self._changed(row)
            if found is None:
                tried[key] = tried.get(key, 0) + 1
            else:
                yield found

    def _foreign(self, row: np.void) -> FrameDamage | None:
        """Judge a slot that another context stored to in its own stack while the owner stood still."""
        return self._over_frozen(row, in_stack=True)

    def _stray(self, row: np.void) -> FrameDamage | None:
        """Judge a slot that another context stored to through a pointer while the owner stood still."""
        found = self._over_frozen(row, in_stack=False)
        if found is None:
            return None
        made = self._pointers.made_for_left_frame(found.context, found.store)
        return None if made is None else replace(found, pointer_t=made)

    def _over_frozen(self, row: np.void, *, in_stack: bool) -> FrameDamage | None:
        """Return the damage if a store changed live frames of a context that stood still."""
        contexts = self._history.contexts
        context, intruder = contexts[int(row["context"])], contexts[int(row["writer_context"])]
        freeze = context.frozen_at(int(row["writer_t"]))
        if freeze is None or freeze.thaw is None or int(row["virtual"]) < freeze.sp:
            return None
        if _is_nested(context, intruder):
            return None
        load, store = self._accesses(row)
        if load is None or store is None or not self._is_changed(store):
            return None
        return FrameDamage(context, load, store, self._register(row), None, intruder, in_stack)

    def _changed(self, row: np.void) -> FrameDamage | None:
        """Judge a restore of what was last stored to by no spill of the register."""
        context = self._history.contexts[int(row["context"])]
        where = (PhysicalAddress(int(row["physical"])), SLOT_BYTES)
        found = self._found(where, Time(context.start), Time(int(row["t"]) + 1))
        spills = self._spills(found.rows, int(row["register"])) & (found.context == context.number)
        before = np.flatnonzero(spills & (found.rows["t"] < row["writer_t"]))
        if not len(before):
            return None
        spill = Access.of(found.rows[before[-1]])
        load, store = self._accesses(row)
        if load is None or store is None or load.value == spill.value or load.physical != spill.physical:
            return None
        assert spill.virtual is not None, "a store has a virtual address"
        if self._rises.was_above(context, spill.virtual, spill.t, load.t) or self._returns_to_user(load):
            return None
        if self._is_meant(context, spill, store, load):
            return None
        intruder = (
            self._history.context_at(Hart(store.hart or 0), store.t) if store.hart is not None else None
        )
        in_stack = bool(row["writer_in_stack"])
        return FrameDamage(context, load, store, self._register(row), spill, intruder, in_stack)

    def _accesses(self, row: np.void) -> tuple[Access | None, Access | None]:
        where = (PhysicalAddress(int(row["physical"])), SLOT_BYTES)
        load_t, store_t = Time(int(row["t"])), Time(int(row["writer_t"]))
        return self._at(where, load_t, Kind.LOAD), self._at(where, store_t, Kind.STORE)

    def _found(self, where: Range, start: Time, stop: Time) -> FrameAccesses:
        return frame_accesses(self._index, self._history, where, (start, stop))

    def _at(self, where: Range, t: Time, kind: Kind) -> Access | None:
        rows = accesses(self._trace.store, where, between=(t, Time(t + 1)), kind=kind)
        return Access.of(rows[-1]) if len(rows) else None

    def _register(self, row: np.void) -> str | None:
        number = int(row["register"])
        return self._index.arch.integer_registers[number] if number else None

    def _spills(self, rows: Rows, register: int) -> Flags:
        """Return which accesses are stores that spill a register."""
        spilled, store = self._index.stack_code.spilled, self._trace.store
        found = np.zeros(len(rows), np.bool_)
        for place in np.flatnonzero(rows["kind"] == Kind.STORE).tolist():
            executed = executed_at(store, Time(int(rows["t"][place])))
            found[place] = executed is not None and spilled[executed.instruction] == register
        return found

    def _is_changed(self, store: Access) -> bool:
        memory = [self._trace.at(t).memory for t in (store.t, Time(store.t + 1))]
        before, after = (part.read_physical(store.physical, store.size) for part in memory)
        return not before.is_complete or before.data != after.data

    def _is_meant(self, context: Context, spill: Access, store: Access, load: Access) -> bool:
        """Say whether a register that a trap had saved was changed through a pointer to where it was saved.

        Debuggers do that, and handlers of faults that let what trapped go on with a result.
        """
        sp = self._trace.at(load.t, hart=load.hart).registers.find(self._index.sp_name)
        if sp is None or not self._is_saved_by_trap(spill):
            return False
        return self._pointers.is_made_for(context, store, sp)

    def _is_saved_by_trap(self, spill: Access) -> bool:
        hart = Hart(spill.hart or 0)
        traps = self._index.traps[self._index.traps["hart"] == hart]
        place = int(np.searchsorted(traps["t"], spill.t, "right")) - 1
        oldest = own_back(self._trace.store, hart, spill.t, FRESH)
        return place >= 0 and int(traps["t"][place]) >= oldest

    def _returns_to_user(self, load: Access) -> bool:
        """Say whether a restore is part of a return to user mode, whose registers a kernel may change."""
        hart, rows = Hart(load.hart or 0), self._history.stints
        stop = own_after(self._trace.store, hart, load.t, RESTORING)
        low, high = np.searchsorted(rows["t"], [load.t + 1, stop])
        near = rows[low:high][rows["hart"][low:high] == hart]
        return bool(np.any((near["begin"] == Begin.RETURN) & (near["privilege"] == 0)))


def _is_nested(context: Context, intruder: Context) -> bool:
    """Say whether a stack was made inside the live frames of the other one: coroutines in local arrays."""
    if intruder.start >= context.start:
        return False
    freeze = intruder.frozen_at(context.start)
    return freeze is not None and freeze.sp <= context.low and context.top <= intruder.top
