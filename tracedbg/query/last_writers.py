"""Who wrote each byte of a range last."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from tracedbg.format.schema import ACCESS_KIND_MASK, ACCESS_KIND_SHIFT, AccessKind
from tracedbg.ids import PhysicalAddress, Time
from tracedbg.query.accesses import Range, epochs_touching, rows_of_epoch
from tracedbg.query.byte_places import byte_places
from tracedbg.query.rows import Access, Kind, Rows, Window
from tracedbg.store.source import Flags, Integers
from tracedbg.store.trace import Trace

SIZE_LIMIT = 1 << 16
_FIRST_ROWS = 64
_GROWTH = 8


@dataclass(frozen=True)
class Written:
    """Bytes that one access wrote last: ``size`` from ``physical`` on, the access's bytes from ``skip`` on.

    ``access`` is None for bytes that nothing wrote since the trace began.
    """

    physical: PhysicalAddress
    size: int
    access: Access | None
    skip: int = 0

    @property
    def value(self) -> int | None:
        """The bytes as a little-endian number, None without an access."""
        if self.access is None:
            return None
        return self.access.value >> 8 * self.skip & (1 << 8 * self.size) - 1


def last_writers(trace: Trace, where: Range, t: Time) -> list[Written]:
    """Return the last store to RAM or change of each byte of ``where`` that the state at ``t`` shows.

    Pieces are in order of address, as long as one access wrote them, and make up the range. ValueError for
    a range that is empty or longer than SIZE_LIMIT.
    """
    if where[1] > SIZE_LIMIT:
        raise ValueError(f"{where[1]} bytes are more than {SIZE_LIMIT}")
    wanted = _Wanted(where[0], where[1])
    window = Window.of(trace, (trace.start, t))
    oldest = trace.epochs
    while (missing := wanted.missing()) is not None:
        epochs = epochs_touching(trace, missing, window, Kind.WRITE, reverse=True)
        found = next((index for index in epochs if index < oldest), None)
        if found is None:
            break
        rows = rows_of_epoch(trace.epoch(found), missing, window, Kind.WRITE)
        wanted.take_newest(rows[_tells(rows)])
        oldest = found
    return wanted.pieces()


def _tells(rows: Rows) -> Flags:
    """Return which writes RAM holds: stores to other memory need not."""
    kind = rows["flags"] & ACCESS_KIND_MASK
    told: Flags = (rows["kind"] == Kind.CHANGE) | (kind == AccessKind.RAM << ACCESS_KIND_SHIFT)
    return told


class _Wanted:
    """Bytes whose writers are filled in from the newest to the oldest."""

    def __init__(self, physical: int, size: int) -> None:
        self._start = physical
        self._writer: Integers = np.full(size, -1, np.int64)
        self._index: Integers = np.zeros(size, np.int64)
        self._accesses: list[np.void] = []

    def missing(self) -> Range | None:
        """The stretch from the first to the last byte without a writer."""
        places = np.flatnonzero(self._writer < 0)
        if not len(places):
            return None
        return PhysicalAddress(self._start + int(places[0])), int(places[-1] - places[0]) + 1

    def take_newest(self, rows: Rows) -> None:
        """Give bytes that have no writer yet to the last of ``rows`` that touches them.

        Rows are looked at in stretches that grow, for most often the last few write all that is missing.
        """
        stop, size = len(rows), _FIRST_ROWS
        while stop > 0 and self.missing() is not None:
            self._take(rows[max(stop - size, 0) : stop])
            stop, size = stop - size, size * _GROWTH

    def _take(self, rows: Rows) -> None:
        places = byte_places(rows["physical"], rows["second"], rows["size"]) - np.uint64(self._start)
        used = (np.arange(8) < rows["size"][:, None]) & (places < len(self._writer))
        row, index = np.nonzero(used)
        latest = np.full(len(self._writer), -1, np.int64)
        # Where a place occurs several times numpy keeps the last, which is the newest.
        latest[places[used].astype(np.int64)] = np.arange(len(row))
        new = np.flatnonzero((latest >= 0) & (self._writer < 0))
        chosen = latest[new]
        writers, number = np.unique(row[chosen], return_inverse=True)
        self._writer[new] = len(self._accesses) + number
        self._index[new] = index[chosen]
        self._accesses += list(rows[writers])

    def pieces(self) -> list[Written]:
        writer, index = self._writer, self._index
        known = writer[1:] >= 0
        breaks = (writer[1:] != writer[:-1]) | (known & (index[1:] != index[:-1] + 1))
        edges = [0, *(np.flatnonzero(breaks) + 1).tolist(), len(writer)]
        return [self._piece(first, stop) for first, stop in pairwise(edges)]

    def _piece(self, first: int, stop: int) -> Written:
        physical, writer = PhysicalAddress(self._start + first), int(self._writer[first])
        if writer < 0:
            return Written(physical, stop - first, None)
        return Written(physical, stop - first, Access.of(self._accesses[writer]), int(self._index[first]))
