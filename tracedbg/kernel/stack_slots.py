"""The 8-byte slots of the frames that stacks were in: which stores and loads of an epoch go to which."""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers

SLOT_BYTES = 8
SLOTS = PAGE_SIZE // SLOT_BYTES


@dataclass(frozen=True)
class SlotEvents:
    """Accesses by their row in the epoch's accesses, ascending, and the slot that each touches."""

    row: Integers
    slot: Integers

    def select(self, chosen: Flags | Integers) -> "SlotEvents":
        """Return some of them."""
        return SlotEvents(self.row[chosen], self.slot[chosen])


def with_second_slots(epoch: EpochData, stored: Integers, slots: Integers) -> SlotEvents:
    """Return the stores, with those that reach into a second slot of their page twice."""
    physical, size = epoch.accesses.physical[stored], epoch.accesses.size[stored]
    over = physical % np.uint64(SLOT_BYTES) + size > SLOT_BYTES
    over &= physical % np.uint64(PAGE_SIZE) + size <= PAGE_SIZE
    rows = np.concatenate([stored, stored[over]])
    touched = np.concatenate([slots[stored], slots[stored[over]] + 1])
    order = np.argsort(rows, kind="stable")
    return SlotEvents(rows[order], touched[order])


def last_before(events: SlotEvents, loads: SlotEvents) -> Integers:
    """Return for each load the row of the last event in its slot before it, -1 for none."""
    slot = np.concatenate([events.slot, loads.slot])
    row = np.concatenate([events.row, loads.row])
    is_event = np.arange(len(slot)) < len(events.slot)
    order = np.lexsort((row, slot))
    slot, row, is_event = slot[order], row[order], is_event[order]
    position = np.where(is_event, np.arange(len(slot)), -1)
    latest = np.maximum.accumulate(position) if len(position) else position
    same = (latest >= 0) & (slot[np.maximum(latest, 0)] == slot)
    before = np.where(same, row[np.maximum(latest, 0)], -1)
    found = np.empty(len(loads.row), np.int64)
    found[np.searchsorted(loads.row, row[~is_event])] = before[~is_event]
    return found


class FirstOfKind:
    """Lets the first few of each kind pass, over all epochs."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._seen: dict[int, int] = {}

    def chosen(self, kinds: Integers) -> Integers:
        """Return the places of those that pass, ascending; ``kinds`` are in order of t."""
        order = np.argsort(kinds, kind="stable")
        unique, first, counts = np.unique(kinds[order], return_index=True, return_counts=True)
        before = np.array([self._seen.get(kind, 0) for kind in unique.tolist()], np.int64)
        rank = np.arange(len(order)) - np.repeat(first, counts) + np.repeat(before, counts)
        self._seen.update(zip(unique.tolist(), (before + counts).tolist(), strict=True))
        return np.sort(order[rank < self._limit])
