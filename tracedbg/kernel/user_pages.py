"""Which frames belong to a user's address space at a moment, and what shows that the space is alive."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.arch import AddressSpace, Walk
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.history import StackHistory
from tracedbg.query import Kind, accesses
from tracedbg.query.rows import Rows
from tracedbg.state import Trace

MAPPINGS_TRIED = 16
"""Places at which user mode touched a frame that are looked up for one moment, the nearest in time first."""


@dataclass(frozen=True)
class UserMapping:
    """``frame`` is mapped for user mode at ``page`` of an address space at ``t``, as ``walk`` shows.

    ``touched`` is a moment at which user mode used it there, the nearest one to ``t``.
    """

    frame: Frame
    page: VirtualAddress
    space: AddressSpace
    t: Time
    touched: Time
    walk: Walk

    def address_of(self, physical: int) -> VirtualAddress:
        """Return the user's address of a byte of the frame."""
        return VirtualAddress(self.page + physical % PAGE_SIZE)


@dataclass(frozen=True)
class Alive:
    """User mode ran in a space at ``t``; until or since then the mapping's entries did not change."""

    t: Time
    is_later: bool


class UserPages:
    """Answers from the history of a trace; immutable."""

    def __init__(self, trace: Trace, history: StackHistory) -> None:
        self._trace = trace
        self._arch = trace.recording.arch
        self._history = history

    def mapping_at(self, frame: Frame, t: Time) -> UserMapping | None:
        """Return a mapping of a frame for user mode that the tables have at ``t`` and that user mode used.

        None where there is none, also without paging.
        """
        return next(self.iter_mappings(frame, t), None)

    def iter_mappings(self, frame: Frame, t: Time) -> Iterator[UserMapping]:
        """Yield the mappings of ``mapping_at``, the ones used nearest to ``t`` first."""
        moment = self._trace.at(t)
        for row in self._touches(frame, t)[:MAPPINGS_TRIED]:
            space = self._arch.address_space_of(int(row["root"]))
            if not space.is_translated:
                continue
            page = VirtualAddress(int(row["page"]) * PAGE_SIZE)
            walk = moment.translate(page, space=space)
            if walk.physical == frame * PAGE_SIZE and self._arch.user_flag in walk.flags:
                touched = _nearest(row, t)
                yield UserMapping(frame, page, space, t, touched, walk)

    def _touches(self, frame: Frame, t: Time) -> Rows:
        """Return one USER_PAGE row for each page and space, the one nearest to ``t``, in that order."""
        rows = self._history.user_pages
        rows = rows[rows["frame"] == frame]
        distance = np.maximum(np.maximum(rows["first"] - t, t - rows["last"]), 0)
        rows = rows[np.argsort(distance, kind="stable")]
        _, first = np.unique(rows[["page", "root"]], return_index=True)
        nearest: Rows = rows[np.sort(first)]
        return nearest

    def alive(self, mapping: UserMapping, context: Context) -> Alive | None:
        """Return the evidence that the mapping's space is in use while ``context`` uses its stack.

        Tables of a process that has ended may lie about for a while. So user mode has to run in the space
        later, or to have run in it when the context was there already, and in between no entry of the walk
        may have changed.
        """
        rows = self._history.user_pages
        rows = rows[rows["root"] == mapping.space.root]
        # Between its first and its last moment a row tells of no others.
        later = np.where(rows["first"] > mapping.t, rows["first"], rows["last"])[rows["last"] > mapping.t]
        if len(later) and self.is_unchanged(mapping.walk, mapping.t, Time(int(later.min()))):
            return Alive(Time(int(later.min())), is_later=True)
        earlier = np.where(rows["last"] < mapping.t, rows["last"], rows["first"])[rows["first"] < mapping.t]
        if not len(earlier):
            return None
        last = Time(int(earlier.max()))
        if last < context.start and not self._began_from(context, mapping.space):
            return None
        if self.is_unchanged(mapping.walk, last, mapping.t):
            return Alive(last, is_later=False)
        return None

    def _began_from(self, context: Context, space: AddressSpace) -> bool:
        """Say whether a trap from user mode in ``space`` began a context."""
        return context.from_user and self.root_at(context) == space.root

    def root_at(self, context: Context) -> int | None:
        """Return the address space register's value when a context began."""
        space = self.space_at(Hart(context.hart), Time(context.start))
        return None if space is None else space.root

    def space_at(self, hart: Hart, t: Time) -> AddressSpace | None:
        """Return the address space that a hart has set up for translation at ``t``."""
        root = self._trace.at(t, hart=hart).registers.find(self._arch.address_space_register)
        return None if root is None else self._arch.address_space_of(root)

    def is_unchanged(self, walk: Walk, start: Time, stop: Time) -> bool:
        """Say whether between two moments no entry of a walk came to lead elsewhere."""
        for level in walk.levels:
            where = (PhysicalAddress(level.address), self._arch.word_size)
            rows = accesses(self._trace.store, where, between=(start, stop), kind=Kind.WRITE)
            if not len(rows):
                continue
            frames = self._arch.entry_frames(rows["value"])
            own = self._arch.entry_frames(np.array([level.value or 0], np.uint64))
            partial = rows["size"] != self._arch.word_size
            if bool(np.any(frames != own) or np.any(partial)):
                return False
        return True

    def is_user_accessible(self, virtual: VirtualAddress, space: AddressSpace, t: Time) -> bool:
        """Say whether an address is mapped for user mode in a space at ``t``."""
        return self._arch.user_flag in self._trace.at(t).translate(virtual, space=space).flags


def _nearest(row: np.void, t: Time) -> Time:
    return Time(int(row["last"] if row["last"] <= t else row["first"]))
