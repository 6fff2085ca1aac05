"""Where a person is in a trace, as frozen values: the session swaps one for another."""

from dataclasses import dataclass, replace

from tracedbg.ids import PhysicalAddress, Time, VirtualAddress


@dataclass(frozen=True, slots=True)
class Selection:
    """Bytes that were picked out: ``size`` bytes from an address, which is virtual or physical."""

    address: VirtualAddress | PhysicalAddress
    size: int
    is_virtual: bool

    @property
    def text(self) -> str:
        """The selection as a person writes it: ``va 80201000:8``."""
        return f"{'va' if self.is_virtual else 'pa'} {self.address:x}:{self.size}"


@dataclass(frozen=True, slots=True)
class Watch:
    """Physical bytes whose accesses have a lane of their own on the timeline."""

    start: PhysicalAddress
    size: int

    @property
    def name(self) -> str:
        """The lane's name."""
        return f"{self.start:x}:{self.size}"


@dataclass(frozen=True, slots=True)
class Bookmark:
    """A moment to come back to."""

    t: Time
    name: str


@dataclass(frozen=True, slots=True)
class Visible:
    """The stretch of time that the timeline shows: start <= t < stop."""

    start: Time
    stop: Time

    @property
    def length(self) -> int:
        """Its number of instructions."""
        return self.stop - self.start

    def holds(self, t: Time) -> bool:
        """Say whether a moment is in it; its end counts, so that the end of a trace can be seen."""
        return self.start <= t <= self.stop


@dataclass(frozen=True, slots=True)
class Place:
    """Everything that a person changes by moving and asking.

    ``came_from`` is the moment before the last move: what differs from it is marked as changed.
    ``memory_base`` is the first address that the memory panel shows, in the selection's address space.
    """

    t: Time
    came_from: Time
    visible: Visible
    selection: Selection
    memory_base: int
    watches: tuple[Watch, ...] = ()
    bookmarks: tuple[Bookmark, ...] = ()
    pinned: tuple[str, ...] = ()
    folded: tuple[str, ...] = ()

    def at(self, t: Time) -> "Place":
        """This place at another moment; the visible stretch follows when the moment would leave it."""
        return replace(self, t=t, came_from=self.t)
