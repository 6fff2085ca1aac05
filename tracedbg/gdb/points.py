"""Breakpoints and watchpoints that gdb has set, the latter bound to physical memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tracedbg.errors import UsageError
from tracedbg.gdb.requests import Point
from tracedbg.ids import PhysicalAddress
from tracedbg.query import Access
from tracedbg.state import Piece

Locate = Callable[[int, int], Sequence[Piece]]
"""Returns where the bytes at an address lie in physical memory now; UsageError where they do not."""


@dataclass(frozen=True)
class Watchpoint:
    """A watchpoint, and where its bytes lie."""

    point: Point
    pieces: tuple[Piece, ...]

    def touched_address(self, access: Access) -> int:
        """Return the first address, as gdb wrote it, of the watched bytes that an access touches."""
        for piece in self.pieces:
            for start in (access.physical, access.second):
                if start is None or not start < piece.physical + piece.size:
                    continue
                if start + access.size > piece.physical:
                    return self._address_of(piece, max(start, piece.physical))
        return self.point.address

    def _address_of(self, piece: Piece, physical: int) -> int:
        start = piece.physical if piece.virtual is None else piece.virtual
        return start + physical - piece.physical


class Points:
    """What is set.

    gdb takes everything out at each stop and puts it back before it goes on. A watchpoint follows the
    physical bytes that its address meant when it was first put in, until gdb runs without it: else one on
    a program's memory would change its meaning where another program runs.
    """

    def __init__(self) -> None:
        self._breakpoints: dict[Point, None] = {}
        self._watchpoints: dict[Point, Watchpoint] = {}
        self._bound: dict[tuple[int, int], tuple[Piece, ...]] = {}

    @property
    def breakpoints(self) -> list[Point]:
        """The breakpoints, oldest first."""
        return list(self._breakpoints)

    @property
    def watchpoints(self) -> list[Watchpoint]:
        """The watchpoints, oldest first."""
        return list(self._watchpoints.values())

    @property
    def bound(self) -> dict[tuple[int, int], tuple[Piece, ...]]:
        """Where the bytes lie that are watched, or were since the last run, by address and size."""
        return dict(self._bound)

    def insert(self, point: Point, locate: Locate) -> None:
        """Set a point; UsageError for bytes that are mapped nowhere."""
        if not point.kind.is_watch:
            self._breakpoints[point] = None
            return
        if not point.size:
            raise UsageError("a watchpoint on no bytes")
        place = (point.address, point.size)
        if place not in self._bound:
            self._bound[place] = tuple(locate(*place))
        self._watchpoints[point] = Watchpoint(point, self._bound[place])

    def remove(self, point: Point) -> None:
        """Take a point out; nothing where it is not set."""
        self._breakpoints.pop(point, None)
        self._watchpoints.pop(point, None)

    def forget_unused(self) -> None:
        """Forget the physical places of watchpoints that are not set."""
        used = {(point.address, point.size) for point in self._watchpoints}
        self._bound = {place: pieces for place, pieces in self._bound.items() if place in used}


def ranges(watchpoint: Watchpoint) -> list[tuple[PhysicalAddress, int]]:
    """Return the physical ranges that are watched."""
    return [(piece.physical, piece.size) for piece in watchpoint.pieces]
