"""Loads from a stack that bring what the stack's own context did not leave there.

Three rules find what is worth a closer look; none convicts. A *restore* is a load of a callee-saved register
or the return address at an offset from the stack pointer: it should bring what a *spill* of the same register
left. A context should not find in its stack what another one stored into a stack of its own meanwhile. And
what another one put there through a pointer, which is common, is a *stray* if the pointer was old.
"""

from dataclasses import dataclass

import numpy as np

from tracedbg.arch.stack_code import StackCode
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.kernel.contexts import NO_CONTEXT, Context
from tracedbg.kernel.data_under_stacks import DataShadow
from tracedbg.kernel.stack_accesses import StackAccesses
from tracedbg.kernel.stack_slots import (
    SLOT_BYTES,
    SLOTS,
    FirstOfKind,
    SlotEvents,
    last_before,
    with_second_slots,
)
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query.rows import Rows
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers, Numbers

NEVER_STORED = -1
MOST_SUSPECTS = 1 << 20
"""Suspects of one trace; far more than can be looked at."""
STRAYS_OF_A_KIND = 4
"""Loads by one instruction of what one other instruction stored that are given out as strays."""

SUSPECT = np.dtype(
    [
        ("t", "<i8"), ("hart", "<u2"), ("context", "<i8"), ("register", "u1"), ("virtual", "<u8"),
        ("physical", "<u8"), ("writer_t", "<i8"), ("writer_context", "<i8"), ("writer_in_stack", "?"),
        ("foreign", "?"),
    ]
)  # fmt: skip
"""A load at ``t`` of a slot that was last stored to at ``writer_t``. ``register`` is the one that it
restores, 0 where it is no restore; ``foreign`` tells that another context had the slot in its own stack."""


class SlotShadow:
    """The last store to each 8-byte slot of the frames that stacks were in, carried from epoch to epoch."""

    def __init__(self, index: TraceIndex, limit: int = 1 << 16) -> None:
        self._index = index
        self._limit = limit
        self._place_of = {
            area.start // PAGE_SIZE: np.full(area.size // PAGE_SIZE, -1, np.int32)
            for area in index.trace.guest.ram
        }
        self._frames = 0
        self._t = np.empty((0, SLOTS), np.int64)
        self._context = np.empty((0, SLOTS), np.int32)
        self._spilled = np.empty((0, SLOTS), np.uint8)
        self._in_stack = np.empty((0, SLOTS), np.bool_)
        self._instruction = np.empty((0, SLOTS), np.int32)
        self._strays: list[Rows] = [np.empty(0, SUSPECT)]
        self._first_strays = FirstOfKind(STRAYS_OF_A_KIND)
        self._data = DataShadow()
        self._suspects_left = MOST_SUSPECTS
        self.is_full = False

    def feed(self, epoch: EpochData, found: StackAccesses, contexts: list[Context]) -> Rows:
        """Return the SUSPECT rows of an epoch, in order of t, and carry on."""
        table = epoch.accesses
        frames = table.physical >> np.uint64(12)
        stores = table.is_store
        self._add(np.unique(frames[stores & found.in_stack]).astype(np.int64))
        places = self._places(frames.astype(np.int64))
        slots = places * SLOTS + ((table.physical >> np.uint64(3)) & np.uint64(SLOTS - 1)).astype(np.int64)
        stored = np.flatnonzero(stores & (places >= 0))
        loaded = np.flatnonzero(~stores & found.in_stack & (places >= 0))
        outside = np.flatnonzero(~stores & ~found.in_stack & (found.privilege != 0) & (places >= 0))
        events = with_second_slots(epoch, stored, slots)
        loads = _Loads.of(events, SlotEvents(loaded, slots[loaded]))
        writers = self._writers(epoch, found, loads)
        self._look_outside(epoch, found, events, SlotEvents(outside, slots[outside]))
        starts = np.array([context.start for context in contexts], np.int64)
        begun = starts[found.context[loaded]] if len(loaded) else np.empty(0, np.int64)
        live = (writers.t >= begun) & (writers.t >= 0)
        self._strays.append(self._new_strays(epoch, found, loads, writers, live))
        suspects = self._suspects(epoch, found, loads, writers, live)
        self._carry(epoch, found, events)
        return suspects

    @property
    def strays(self) -> Rows:
        """The SUSPECT rows so far of slots that another context stored to, but not in its own stack.

        At most STRAYS_OF_A_KIND for each pair of instructions.
        """
        return np.concatenate(self._strays)

    @property
    def misreads(self) -> Rows:
        """The MISREAD rows so far."""
        return self._data.misreads

    def _look_outside(
        self, epoch: EpochData, found: StackAccesses, events: SlotEvents, outside: SlotEvents
    ) -> None:
        """Pass the loads from outside all stacks on, each with the last store to its slot."""
        writers = self._writers(epoch, found, _Loads.of(events, outside))
        self._data.make_room(len(self._t))
        self._data.feed(
            epoch, found, outside, (writers.t, writers.in_stack, writers.instruction, writers.context)
        )
        self.is_full |= self._data.is_full

    def _add(self, frames: Integers) -> None:
        """Give a place to frames that have none."""
        for first, place_of in self._place_of.items():
            inside = frames[(frames >= first) & (frames < first + len(place_of))] - first
            new = inside[place_of[inside] < 0]
            if self._frames + len(new) > self._limit:
                self.is_full = True
                new = new[: self._limit - self._frames]
            place_of[new] = np.arange(self._frames, self._frames + len(new), dtype=np.int32)
            self._frames += len(new)
        missing = self._frames - len(self._t)
        if missing > 0:
            room = max(missing, len(self._t) // 2)
            self._t = np.concatenate([self._t, np.full((room, SLOTS), NEVER_STORED, np.int64)])
            self._context = np.concatenate([self._context, np.full((room, SLOTS), NO_CONTEXT, np.int32)])
            self._spilled = np.concatenate([self._spilled, np.zeros((room, SLOTS), np.uint8)])
            self._in_stack = np.concatenate([self._in_stack, np.zeros((room, SLOTS), np.bool_)])
            self._instruction = np.concatenate([self._instruction, np.zeros((room, SLOTS), np.int32)])

    def _places(self, frames: Integers) -> Integers:
        places = np.full(len(frames), -1, np.int64)
        for first, place_of in self._place_of.items():
            inside = (frames >= first) & (frames < first + len(place_of))
            places[inside] = place_of[frames[inside] - first]
        return places

    def _writers(self, epoch: EpochData, found: StackAccesses, loads: "_Loads") -> "_Writers":
        """Return the last store to the slot of each load."""
        slots, here = loads.slot, loads.writer >= 0
        writers = _Writers(
            t=self._t.ravel()[slots],
            context=self._context.ravel()[slots].astype(np.int64),
            spilled=self._spilled.ravel()[slots],
            in_stack=self._in_stack.ravel()[slots],
            instruction=self._instruction.ravel()[slots],
        )
        rows = loads.writer[here]
        writers.t[here] = epoch.accesses.t[rows].astype(np.int64) + epoch.start
        writers.context[here] = found.context[rows]
        writers.spilled[here] = spilled_by(epoch, found, rows, self._index.stack_code)
        writers.in_stack[here] = found.in_stack[rows]
        writers.instruction[here] = found.instruction[rows]
        return writers

    def _suspects(
        self, epoch: EpochData, found: StackAccesses, loads: "_Loads", writers: "_Writers", live: Flags
    ) -> Rows:
        own = loads.row
        foreign = live & writers.in_stack & (writers.context != found.context[own])
        register = self._index.stack_code.restored[found.instruction[own]]
        saved = np.isin(register, self._index.saved_registers)
        changed = live & saved & (writers.spilled != register)
        chosen = np.flatnonzero(foreign | changed)
        self.is_full |= len(chosen) > self._suspects_left
        chosen = chosen[: self._suspects_left]
        self._suspects_left -= len(chosen)
        suspects = _rows(epoch, found, loads, writers, chosen)
        suspects["register"] = np.where(saved, register, 0)[chosen]
        suspects["foreign"] = foreign[chosen]
        return suspects

    def _new_strays(
        self, epoch: EpochData, found: StackAccesses, loads: "_Loads", writers: "_Writers", live: Flags
    ) -> Rows:
        """Return the strays of an epoch, the first ones of each pair of a load and a store instruction."""
        foreign = (writers.context != found.context[loads.row]) & (writers.context != NO_CONTEXT)
        chosen = np.flatnonzero(live & foreign & ~writers.in_stack)
        pairs = found.instruction[loads.row[chosen]].astype(np.int64) << 32 | writers.instruction[chosen]
        return _rows(epoch, found, loads, writers, chosen[self._first_strays.chosen(pairs)])

    def _carry(self, epoch: EpochData, found: StackAccesses, events: SlotEvents) -> None:
        # Of several stores to one slot numpy keeps the last.
        self._t.ravel()[events.slot] = epoch.accesses.t[events.row].astype(np.int64) + epoch.start
        self._context.ravel()[events.slot] = found.context[events.row]
        self._in_stack.ravel()[events.slot] = found.in_stack[events.row]
        self._instruction.ravel()[events.slot] = found.instruction[events.row]
        self._spilled.ravel()[events.slot] = spilled_by(epoch, found, events.row, self._index.stack_code)


@dataclass(frozen=True)
class _Loads:
    """Loads by row, the slot of each, and the row of the last store to it in the epoch (-1 for none)."""

    row: Integers
    slot: Integers
    writer: Integers

    @classmethod
    def of(cls, events: SlotEvents, loads: SlotEvents) -> "_Loads":
        return cls(loads.row, loads.slot, last_before(events, loads))


@dataclass(frozen=True)
class _Writers:
    """One row for each load: the last store to its slot."""

    t: Integers
    context: Integers
    spilled: Numbers
    in_stack: Flags
    instruction: Numbers


def _rows(epoch: EpochData, found: StackAccesses, loads: _Loads, writers: _Writers, chosen: Integers) -> Rows:
    """Return some of the loads as SUSPECT rows that are no restores and not foreign."""
    rows = np.zeros(len(chosen), SUSPECT)
    picked = loads.row[chosen]
    rows["t"] = epoch.accesses.t[picked].astype(np.int64) + epoch.start
    rows["hart"], rows["context"] = found.hart[picked], found.context[picked]
    rows["virtual"] = epoch.accesses.virtual[picked]
    rows["physical"] = epoch.accesses.physical[picked]
    rows["writer_t"], rows["writer_context"] = writers.t[chosen], writers.context[chosen]
    rows["writer_in_stack"] = writers.in_stack[chosen]
    return rows


def spilled_by(epoch: EpochData, found: StackAccesses, rows: Integers, code: StackCode) -> Numbers:
    """Return the register that each store spills whole into one slot, 0 for none."""
    aligned: Flags = epoch.accesses.physical[rows] % np.uint64(SLOT_BYTES) == 0
    return np.where(aligned, code.spilled[found.instruction[rows]], 0).astype(np.uint8)
