"""Which frames belong to a user's address space at a moment, and what shows that the space is alive."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tracedbg.arch import AddressSpace, Walk
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import Kind, accesses
from tracedbg.query.rows import Rows
from tracedbg.state import Trace

MAPPINGS_TRIED = 16
"""Places at which user mode touched a frame that are looked up for one moment, the nearest in time first."""

_USER_TRAP = np.dtype([("t", "<i8"), ("root", "<u8")])


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

    def __init__(self, trace: Trace, index: TraceIndex, history: StackHistory) -> None:
        self._trace = trace
        self._index = index
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
        later = self.next_use(mapping.space.root, mapping.t)
        if later is not None and self.is_unchanged(mapping.walk, mapping.t, later):
            return Alive(later, is_later=True)
        earlier = self.last_use(mapping.space.root, mapping.t, context)
        if earlier is not None and self.is_unchanged(mapping.walk, earlier, mapping.t):
            return Alive(earlier, is_later=False)
        return None

    def next_use(self, root: int, t: Time) -> Time | None:
        """Return the first moment known after ``t`` at which user mode runs, or tries to, in a space."""
        rows = self._history.user_pages
        rows = rows[(rows["root"] == root) & (rows["last"] > t)]
        # Between its first and its last moment a row tells of no others.
        times = np.where(rows["first"] > t, rows["first"], rows["last"])
        traps = self._user_traps[(self._user_traps["root"] == root) & (self._user_traps["t"] > t)]["t"]
        return min((Time(int(part.min())) for part in (times, traps) if len(part)), default=None)

    def last_use(self, root: int, t: Time, context: Context) -> Time | None:
        """Return the last moment known before ``t`` at which user mode ran in a space.

        Only of those at which ``context`` was there already, or was begun by a trap from there.
        """
        rows = self._history.user_pages
        rows = rows[(rows["root"] == root) & (rows["first"] < t)]
        times = np.where(rows["last"] < t, rows["last"], rows["first"])
        times = times[times >= context.start]
        if len(times):
            return Time(int(times.max()))
        began_there = context.from_user and self.root_at(context) == root
        return Time(context.start) if began_there else None

    @cached_property
    def _user_traps(self) -> Rows:
        """The t and the address space register's value of each trap from user mode."""
        track = self._index.track(self._index.space_name)
        parts = [np.empty(0, _USER_TRAP)]
        for number in range(self._index.trace.epochs if track is not None else 0):
            traps = self._index.trace.epoch(number).traps
            own = traps.source == 0
            rows = np.empty(int(own.sum()), _USER_TRAP)
            rows["t"] = traps.t[own].astype(np.int64) + int(self._index.trace.epoch_starts[number])
            for hart in np.unique(traps.hart[own]).tolist():
                mine = traps.hart[own] == hart
                assert track is not None, "there are rows only where there is a track"
                rows["root"][mine] = track.values_at(number, Hart(hart), rows["t"][mine])[0]
            parts.append(rows)
        return np.concatenate(parts)

    def root_at(self, context: Context) -> int | None:
        """Return the address space register's value when a context began."""
        space = self.space_at(Hart(context.hart), Time(context.start))
        return None if space is None else space.root

    def space_at(self, hart: Hart, t: Time) -> AddressSpace | None:
        """Return the address space that a hart has set up for translation at ``t``."""
        track = self._index.track(self._arch.address_space_register)
        if track is None:
            return None
        values, known = track.values_at(self._trace.store.epoch_of(t), hart, np.array([t]))
        return self._arch.address_space_of(int(values[0])) if known[0] else None

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
