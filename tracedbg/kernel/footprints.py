"""Which frames were touched as what in an epoch: by stacks, by user mode, as page tables."""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Hart
from tracedbg.kernel.stack_accesses import StackAccesses
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query.rows import Rows
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers, Numbers

STACK_PAGE = np.dtype(
    [("frame", "<i8"), ("page", "<i8"), ("context", "<i8"), ("first", "<i8"), ("last", "<i8")]
)
"""A context stored to its stack in ``frame``, at virtual page ``page``, from ``first`` to ``last`` (t)."""

USER_PAGE = np.dtype([("frame", "<i8"), ("page", "<i8"), ("root", "<u8"), ("first", "<i8"), ("last", "<i8")])
"""User mode touched ``frame`` at virtual page ``page``, in the address space of ``root``."""

SPACE = np.dtype([("root", "<u8"), ("first", "<i8"), ("last", "<i8")])
"""The address space register of a hart held ``root`` from moment ``first`` up to ``last``."""

_PAGE_BITS = np.uint64(12)


@dataclass(frozen=True)
class Footprints:
    """What one epoch left: STACK_PAGE, USER_PAGE and SPACE rows, and frames, ascending.

    ``tables`` are frames that got something that reads as a page-table entry, other than through a stack.
    """

    stack: Rows
    user: Rows
    spaces: Rows
    tables: Integers


def footprints(index: TraceIndex, epoch: EpochData, found: StackAccesses) -> Footprints:
    """Gather the footprints of an epoch."""
    table = epoch.accesses
    kernel = found.privilege != 0
    stores = table.is_store & kernel
    elsewhere = np.flatnonzero(stores & ~found.in_stack)
    return Footprints(
        stack=_stack_pages(epoch, found, np.flatnonzero(stores & found.in_stack)),
        user=_user_pages(index, epoch, found, np.flatnonzero(~kernel)),
        spaces=_spaces(index, epoch),
        tables=_table_frames(index, epoch, elsewhere),
    )


def _stack_pages(epoch: EpochData, found: StackAccesses, rows: Integers) -> Rows:
    return _touched(epoch, rows, STACK_PAGE, found.context[rows])


def _user_pages(index: TraceIndex, epoch: EpochData, found: StackAccesses, rows: Integers) -> Rows:
    touched = _touched(epoch, rows, USER_PAGE, _roots(index, epoch, found, rows))
    return np.concatenate([touched, _fetched(index, epoch)])


def _touched(epoch: EpochData, rows: Integers, kind: np.dtype[np.void], owner: Numbers | Integers) -> Rows:
    """Return one row for each frame, page and owner of accesses; the owner is ``kind``'s third field."""
    pages = epoch.accesses.virtual[rows] >> _PAGE_BITS
    # The frame changes below a page that is copied when it is first written.
    keep = _changes(pages, epoch.accesses.physical[rows] >> _PAGE_BITS, owner)
    places = np.flatnonzero(keep)
    last = rows[np.append(places[1:], len(rows)) - 1] if len(places) else rows[:0]
    found = np.empty(len(places), kind)
    found["frame"], found["page"] = epoch.accesses.physical[rows[places]] >> _PAGE_BITS, pages[places]
    found[(kind.names or ())[2]] = owner[places]
    found["first"] = epoch.accesses.t[rows[places]].astype(np.int64) + epoch.start
    found["last"] = epoch.accesses.t[last].astype(np.int64) + epoch.start
    return _merged(found)


def _changes(*columns: Numbers | Integers) -> Flags:
    """Return which rows differ from the row before in any of the columns."""
    keep = np.ones(len(columns[0]), np.bool_)
    keep[1:] = np.logical_or.reduce([column[1:] != column[:-1] for column in columns])
    return keep


def _roots(index: TraceIndex, epoch: EpochData, found: StackAccesses, rows: Integers) -> Numbers:
    """Return for each access what its hart's address space register held; 0 where that is not known."""
    roots = np.zeros(len(rows), np.uint64)
    track = index.track(index.space_name)
    if track is None:
        return roots
    moments = epoch.accesses.t[rows].astype(np.int64) + epoch.start
    for hart in np.unique(found.hart[rows]).tolist():
        own = found.hart[rows] == hart
        values, known = track.values_at(epoch.index, hart, moments[own])
        roots[own] = np.where(known, values, 0)
    return roots


def _spaces(index: TraceIndex, epoch: EpochData) -> Rows:
    track = index.track(index.space_name)
    if track is None:
        return np.empty(0, SPACE)
    parts = []
    for hart in range(index.trace.guest.harts):
        writes = track.writes(epoch.index)
        writes = writes[(writes["hart"] == hart) & writes["known"]]
        opening = track.opening(epoch.index, Hart(hart))
        rows = np.empty(len(writes) + 1, SPACE)
        rows["root"][0], rows["root"][1:] = opening or 0, writes["value"]
        rows["first"][0], rows["first"][1:] = epoch.start, writes["t"]
        rows["last"] = np.append(rows["first"][1:], epoch.end)
        parts.append(rows[int(opening is None) :])
    return np.concatenate(parts)


def _fetched(index: TraceIndex, epoch: EpochData) -> Rows:
    """Return the pages that user mode ran code from, one row for each block that it comes back to."""
    runs = np.flatnonzero((epoch.blocks.privilege[epoch.run_block] == 0) & (np.diff(epoch.run_start) > 0))
    track = index.track(index.space_name)
    if not len(runs) or track is None:
        return np.empty(0, USER_PAGE)
    blocks = epoch.run_block[runs]
    pages, frames = (column[blocks] >> _PAGE_BITS for column in (epoch.blocks.virtual, epoch.blocks.physical))
    harts, moments = epoch.hart_of_runs(runs), epoch.run_start[runs] + epoch.start
    # Spaces that take turns may have the same code at the same page.
    switches = np.searchsorted(np.sort(track.writes(epoch.index)["t"]), moments, "right")
    keep = _changes(pages, frames, harts, switches)
    places = np.flatnonzero(keep)
    rows = np.empty(len(places), USER_PAGE)
    rows["frame"], rows["page"] = frames[places], pages[places]
    rows["first"] = moments[places]
    rows["last"] = moments[np.append(places[1:], len(runs)) - 1]
    for hart in np.unique(harts).tolist():
        own = harts[places] == hart
        values, known = track.values_at(epoch.index, hart, rows["first"][own])
        rows["root"][own] = np.where(known, values, 0)
    return _merged(rows)


def _merged(rows: Rows) -> Rows:
    """Return one row for each frame, page and owner, from the first to the last of its times."""
    fields = [rows[name] for name in (rows.dtype.names or ())[2::-1]]
    order = np.lexsort(fields)
    rows = rows[order]
    begins = np.ones(len(rows), np.bool_)
    begins[1:] = np.logical_or.reduce([field[order][1:] != field[order][:-1] for field in fields])
    places = np.flatnonzero(begins)
    merged = rows[places]
    if len(places):
        merged["first"] = np.minimum.reduceat(rows["first"], places)
        merged["last"] = np.maximum.reduceat(rows["last"], places)
    return merged


def _table_frames(index: TraceIndex, epoch: EpochData, rows: Integers) -> Integers:
    table = epoch.accesses
    whole = rows[(table.size[rows] == index.arch.word_size)]
    values, physical = table.value[whole], table.physical[whole]
    pages = index.arch.entry_frames(values)
    inside = np.zeros(len(whole), np.bool_)
    for area in index.trace.guest.ram:
        inside |= (pages >= area.start // PAGE_SIZE) & (pages < area.end // PAGE_SIZE)
    found: Integers = np.unique(physical[inside] >> _PAGE_BITS).astype(np.int64)
    return found
