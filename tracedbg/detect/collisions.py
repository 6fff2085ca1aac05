"""Stacks that stored into memory which belonged to someone else at that moment."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.user_pages import Alive, UserMapping
from tracedbg.kernel.view import KernelView
from tracedbg.query import Kind
from tracedbg.query.rows import Rows

MOMENTS_TRIED = 64
"""Uses of a frame as stack that are looked at; after so many innocent ones the frame is let go."""
FINE_MOMENTS = 16


@dataclass(frozen=True)
class UserCollision:
    """``context`` stored to its stack at ``t`` in a frame that was mapped for user mode then."""

    frame: Frame
    context: Context
    t: Time
    mapping: UserMapping
    alive: Alive


@dataclass(frozen=True)
class Undecided:
    """A collision that may be one or not: the stack itself is mapped for user mode as well."""

    context: Context
    t: Time


def iter_user_collisions(view: KernelView) -> Iterator[UserCollision | Undecided]:
    """Yield the collisions of stacks with user pages, frame by frame, for each use of a stack the first."""
    history = view.history
    both = np.intersect1d(history.stack_pages["frame"], history.user_pages["frame"])
    for frame in both.tolist():
        rows = history.stack_pages[history.stack_pages["frame"] == frame]
        touches = history.user_pages[history.user_pages["frame"] == frame]
        yield from _in_frame(view, Frame(frame), rows[np.argsort(rows["first"])], touches)


def _in_frame(
    view: KernelView, frame: Frame, rows: Rows, touches: Rows
) -> Iterator[UserCollision | Undecided]:
    innocent, convicted = 0, set()
    for row in rows:
        number = int(row["context"])
        if number in convicted:
            continue
        for t in _moments(view, frame, row, touches):
            found = _judge(view, frame, view.history.contexts[number], t)
            if found is not None:
                convicted.add(number)
                yield found
                break
        else:
            innocent += 1
        if innocent >= MOMENTS_TRIED:
            return


def _moments(view: KernelView, frame: Frame, row: np.void, touches: Rows) -> Iterator[Time]:
    """Yield the moments of a use of a frame as stack at which it may be a user's."""
    first, last = int(row["first"]), int(row["last"])
    yield Time(first)
    if not np.any((touches["first"] <= last) & (touches["last"] >= first)):
        return
    where = (PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE)
    found = view.accesses(where, (Time(first), Time(last + 1)))
    stores = (found.rows["kind"] == Kind.STORE) & found.in_stack & (found.context == row["context"])
    events = np.flatnonzero(stores | (found.privilege == 0))
    after_user = events[1:][stores[events[1:]] & ~stores[events[:-1]]]
    for t in found.rows["t"][after_user[:FINE_MOMENTS]].tolist():
        yield Time(t)


def _judge(view: KernelView, frame: Frame, context: Context, t: Time) -> UserCollision | Undecided | None:
    for mapping in view.user_pages.iter_mappings(frame, t):
        if view.user_pages.is_user_accessible(view.highest_address(context), mapping.space, t):
            return Undecided(context, t)
        alive = view.user_pages.alive(mapping, context)
        if alive is not None:
            return UserCollision(frame, context, t, mapping, alive)
    return None


@dataclass(frozen=True)
class TableCollision:
    """``context`` stored to its stack at ``t`` in a frame that was a page table of ``root`` then."""

    frame: Frame
    context: Context
    t: Time
    root: int


def iter_table_collisions(view: KernelView) -> Iterator[TableCollision]:
    """Yield the collisions of stacks with page tables of address spaces in use."""
    history = view.history
    for frame in np.intersect1d(history.stack_pages["frame"], history.table_frames).tolist():
        rows = history.stack_pages[history.stack_pages["frame"] == frame]
        rows = rows[np.argsort(rows["first"])]
        _, first = np.unique(rows["context"], return_index=True)
        for row in rows[np.sort(first)][:MOMENTS_TRIED]:
            context, t = history.contexts[int(row["context"])], Time(int(row["first"]))
            if not view.owners.tables.reads_as_table(Frame(frame), t):
                continue
            root = view.owners.tables.root_of(Frame(frame), t)
            if root is not None and _is_table_in_use(view, Frame(frame), root, context, t):
                yield TableCollision(Frame(frame), context, t, root)


def _is_table_in_use(view: KernelView, frame: Frame, root: int, context: Context, t: Time) -> bool:
    """Say whether user mode runs in the space later, or did when the context was there already.

    The tables of a process that has ended may lie about for a while, and be made anew in the same place. So
    in between nothing but the stack may have stored to the table, and what leads to it has to stay.
    """
    tables, pages = view.owners.tables, view.user_pages
    later = pages.next_use(root, t)
    if later is not None and tables.is_linked_between(frame, root, t, later):
        return not _is_rewritten(view, frame, t, later)
    earlier = pages.last_use(root, t, context)
    return earlier is not None and tables.is_linked_between(frame, root, earlier, t)


def _is_rewritten(view: KernelView, frame: Frame, start: Time, stop: Time) -> bool:
    """Say whether anything but a stack stored to a frame."""
    found = view.accesses((PhysicalAddress(frame * PAGE_SIZE), PAGE_SIZE), (start, stop))
    return bool(np.any((found.rows["kind"] == Kind.STORE) & ~found.in_stack))
