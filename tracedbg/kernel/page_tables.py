"""Which frames hold page tables at a moment."""

from functools import cached_property, lru_cache, partial

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.user_pages import UserPages
from tracedbg.query import Kind, accesses
from tracedbg.state import Trace
from tracedbg.store.source import Integers

DEEPEST = 8
"""Levels of tables that lead to one another."""

SPACES_TRIED = 64
"""Address spaces whose tables are looked through for one frame, those in use nearest to the moment first."""


class PageTables:
    """Answers from the history of a trace; immutable."""

    def __init__(self, trace: Trace, history: StackHistory, user_pages: UserPages) -> None:
        self._trace = trace
        self._arch = trace.recording.arch
        self._history = history
        self._user_pages = user_pages
        self._tables_at = lru_cache(maxsize=256)(partial(_find_tables, trace))

    def may_be_table(self, frame: Frame) -> bool:
        """Say whether a frame ever got something that reads as a page-table entry."""
        return bool(np.isin(frame, self._history.table_frames))

    def reads_as_table(self, frame: Frame, t: Time) -> bool:
        """Say whether a frame holds nothing at ``t`` but page-table entries, at least one of them valid."""
        words = np.frombuffer(self._trace.at(t).memory.page(PhysicalAddress(frame * PAGE_SIZE)), "<u8")
        valid = self._arch.entry_frames(words) != ~np.uint64(0)
        return bool(valid.any() and np.all(valid | (words & np.uint64(1) == 0)))

    def is_valid(self, entry: PhysicalAddress, t: Time) -> bool:
        """Say whether a page-table entry leads somewhere at ``t``; not where that is not known."""
        value = self._trace.at(t).memory.word(entry)
        return bool(self._arch.entry_frames(np.array([value or 0], np.uint64))[0] != ~np.uint64(0))

    def root_of(self, frame: Frame, t: Time) -> int | None:
        """Return the address space whose tables a frame is part of at ``t``, None for none."""
        if not self.may_be_table(frame):
            return None
        return next((root for root in self.roots_near(t) if frame in self._tables_at(root, t)), None)

    def is_table_at(self, frame: Frame, root: int, t: Time) -> bool:
        """Say whether a frame is one of the tables of an address space at ``t``."""
        return frame in self._tables_at(root, t)

    def is_linked_between(self, frame: Frame, root: int, start: Time, stop: Time) -> bool:
        """Say whether the entries that lead to a table stay as they are between two moments.

        Entries in the table itself are not looked at.
        """
        path = self._path_to(frame, root, start)
        if path is None:
            return False
        for entry in path:
            where = (PhysicalAddress(entry), self._arch.word_size)
            rows = accesses(self._trace.store, where, between=(start, stop), kind=Kind.WRITE)
            before = self._trace.at(start).memory.word(PhysicalAddress(entry))
            own = self._arch.entry_frames(np.array([before or 0], np.uint64))
            if np.any(self._arch.entry_frames(rows["value"]) != own) or np.any(
                rows["size"] != self._arch.word_size
            ):
                return False
        return True

    def _path_to(self, frame: Frame, root: int, t: Time) -> list[int] | None:
        """Return the addresses of the entries that lead from the root to a table, None where none do."""
        memory, space = self._trace.at(t).memory, self._arch.address_space_of(root)
        parents: dict[int, int] = {}
        first: int | None = None
        for table in self._arch.iter_tables(space, memory.page):
            first = table if first is None else first
            if table == frame * PAGE_SIZE:
                break
            frames = self._arch.entry_frames(np.frombuffer(memory.page(table), "<u8"))
            for place in np.flatnonzero(frames != ~np.uint64(0)).tolist():
                parents.setdefault(int(frames[place]) * PAGE_SIZE, table + place * self._arch.word_size)
        else:
            return None
        path: list[int] = []
        current = frame * PAGE_SIZE
        while current != first:
            entry = parents.get(current)
            if entry is None or len(path) > DEEPEST:
                return None
            path.append(entry)
            current = entry // PAGE_SIZE * PAGE_SIZE
        return path

    def roots_near(self, t: Time) -> list[int]:
        """Return the values of the address space register in use at ``t`` or later, the next ones first.

        In use is also a space that the kernel serves a trap from, in a space of its own.
        """
        rows = self._history.spaces
        # What is not in use any more is no table, though it may still look like one.
        rows = rows[rows["last"] >= t]
        distance = np.maximum(np.maximum(rows["first"] - t, t - rows["last"]), 0)
        ordered = rows["root"][np.argsort(distance, kind="stable")].tolist()
        return list(dict.fromkeys([*ordered, *self._served(t)]))[:SPACES_TRIED]

    def _served(self, t: Time) -> list[int]:
        """Return the spaces that contexts which are there at ``t`` came from."""
        starts, stops = self._spans
        there = np.flatnonzero((starts <= t) & (t < stops))[-SPACES_TRIED:]
        roots = [self._user_pages.root_at(self._history.contexts[number]) for number in there.tolist()]
        return [root for root in roots if root is not None]

    @cached_property
    def _spans(self) -> tuple[Integers, Integers]:
        """The start and the end of each context; those that user mode did not begin end at once."""
        contexts = self._history.contexts
        never = np.iinfo(np.int64).max
        starts = np.array([context.start for context in contexts], np.int64)
        stops = [never if context.stop is None else context.stop for context in contexts]
        from_user = np.array([context.from_user for context in contexts], np.bool_)
        return starts, np.where(from_user, np.array(stops, np.int64), starts)


def _find_tables(trace: Trace, root: int, t: Time) -> frozenset[int]:
    """Return the frames of the tables of an address space at ``t``."""
    arch = trace.recording.arch
    space = arch.address_space_of(root)
    if not space.is_translated:
        return frozenset()
    memory = trace.at(t).memory
    tables = list(arch.iter_tables(space, memory.page))
    entries = arch.entry_frames(np.frombuffer(memory.page(tables[0]), "<u8"))
    if np.all(entries == ~np.uint64(0)):
        # Nothing is mapped yet, or any more.
        return frozenset()
    return frozenset(table // PAGE_SIZE for table in tables)
