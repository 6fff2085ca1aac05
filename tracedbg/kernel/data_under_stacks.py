"""Loads of data that bring what a stack left in its place.

A *misread* is a load from outside all stacks, by an instruction that had read there what code had stored
through a pointer, and that now finds what a stack has been stored to since. Memory that changes hands looks
the same, so none of them convicts.
"""

import numpy as np

from tracedbg.kernel.stack_accesses import StackAccesses
from tracedbg.kernel.stack_slots import SLOTS, FirstOfKind, SlotEvents, last_before
from tracedbg.query.rows import Rows
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers, Numbers

MISREADS_OF_A_KIND = 4
"""Loads by one instruction of what one other instruction stored that are given out as misreads."""

WAYS = 4
"""Loads of one slot that are kept: of instructions whose numbers differ in the last bits."""

MOST_FRAMES = 1 << 14
"""Frames of stacks whose slots are kept track of, the first ones; each takes 24 KiB."""

MISREAD = np.dtype(
    [
        ("t", "<i8"), ("physical", "<u8"), ("size", "u1"), ("hart", "<u2"), ("read_t", "<i8"),
        ("writer_t", "<i8"), ("writer_context", "<i8"),
    ]
)  # fmt: skip
"""A load at ``t``, by what read data in its slot at ``read_t``, which was stored to at ``writer_t``."""


class DataShadow:
    """The last loads of data from each slot, carried from epoch to epoch."""

    def __init__(self) -> None:
        self._t = np.empty((0, SLOTS * WAYS), np.int64)
        self._instruction = np.empty((0, SLOTS * WAYS), np.int32)
        self._misreads: list[Rows] = [np.empty(0, MISREAD)]
        self._first = FirstOfKind(MISREADS_OF_A_KIND)
        self.is_full = False

    @property
    def misreads(self) -> Rows:
        """The MISREAD rows so far, in order of t."""
        return np.concatenate(self._misreads)

    def make_room(self, frames: int) -> None:
        """Provide for slots of so many frames."""
        missing = min(frames, MOST_FRAMES) - len(self._t)
        if missing > 0:
            shape = (missing, SLOTS * WAYS)
            self._t = np.concatenate([self._t, np.full(shape, -1, np.int64)])
            self._instruction = np.concatenate([self._instruction, np.zeros(shape, np.int32)])

    def feed(
        self,
        epoch: EpochData,
        found: StackAccesses,
        loads: SlotEvents,
        writers: tuple[Integers, Flags, Numbers, Integers],
    ) -> None:
        """Take the loads of an epoch from outside all stacks.

        ``writers`` tells of the last store to each one's slot: its t (below 0 for none), whether it went to
        the stack in use, its instruction and its context.
        """
        inside = loads.slot < len(self._t) * SLOTS
        self.is_full |= not inside.all()
        loads = loads.select(inside)
        t, in_stack, instruction, context = (column[inside] for column in writers)
        loads = SlotEvents(loads.row, loads.slot * WAYS + found.instruction[loads.row] % WAYS)
        of_data = loads.select(~in_stack & (t >= 0))
        after = np.flatnonzero(in_stack & (t >= 0))
        reader_t, reader = self._last_readers(epoch, found, of_data, loads.select(after))
        again = (reader_t >= 0) & (reader_t < t[after]) & (reader == found.instruction[loads.row[after]])
        after, reader_t = after[again], reader_t[again]
        pairs = found.instruction[loads.row[after]].astype(np.int64) << 32 | instruction[after]
        first = self._first.chosen(pairs)
        after, reader_t = after[first], reader_t[first]
        rows = np.empty(len(after), MISREAD)
        picked = loads.row[after]
        rows["t"] = epoch.accesses.t[picked].astype(np.int64) + epoch.start
        rows["physical"], rows["size"] = epoch.accesses.physical[picked], epoch.accesses.size[picked]
        rows["hart"], rows["read_t"] = found.hart[picked], reader_t
        rows["writer_t"], rows["writer_context"] = t[after], context[after]
        self._misreads.append(rows)
        self._t.ravel()[of_data.slot] = epoch.accesses.t[of_data.row].astype(np.int64) + epoch.start
        self._instruction.ravel()[of_data.slot] = found.instruction[of_data.row]

    def _last_readers(
        self, epoch: EpochData, found: StackAccesses, of_data: SlotEvents, loads: SlotEvents
    ) -> tuple[Integers, Integers]:
        """Return the last load of data from each one's slot: its t (-1 for none) and instruction."""
        before = last_before(of_data, loads)
        here = before >= 0
        times = self._t.ravel()[loads.slot]
        instructions = self._instruction.ravel()[loads.slot].astype(np.int64)
        times[here] = epoch.accesses.t[before[here]].astype(np.int64) + epoch.start
        instructions[here] = found.instruction[before[here]]
        return times, instructions
