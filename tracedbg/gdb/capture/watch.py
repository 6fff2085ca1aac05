"""Watchpoints on a place in physical memory, through every virtual address that leads there."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tracedbg.arch import AddressSpace
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.gdb.capture.guest import LiveGuest
from tracedbg.gdb.capture.stub import StubError
from tracedbg.ids import PhysicalAddress

PLACES_LIMIT = 64
"""Virtual addresses at which one watch is set; a place that is mapped more often is watched at these."""


@dataclass
class Watch:
    """Bytes from a virtual address on, wherever they lie in each address space that is met.

    ``homes`` are the physical addresses by the root of the space; ``places`` the virtual addresses at which
    the stub watches: of each the size, and the home that it leads to.
    """

    virtual: int
    size: int
    homes: dict[int, int] = field(default_factory=dict)
    places: dict[int, tuple[int, int]] = field(default_factory=dict)

    def holds(self, physical: int, size: int) -> bool:
        """Say whether a byte of a range of physical memory is watched."""
        return any(home < physical + size and physical < home + self.size for home in self.homes.values())

    def settle(self, guest: LiveGuest, hart: int) -> None:
        """Set what can be set for the address space in force."""
        space = guest.space(hart)
        physical = None if space is None else guest.walk(space, self.virtual).physical
        if space is None or physical is None or not guest.memory.is_memory(physical):
            return
        before = self.homes.get(space.root)
        if before == physical:
            return
        self.homes[space.root] = physical
        if before is not None and before not in self.homes.values():
            self._leave(guest, before)
        for virtual, size in self._mapped(guest, space, physical):
            self._set(guest, virtual, size, physical)

    def _mapped(self, guest: LiveGuest, space: AddressSpace, physical: int) -> Iterator[tuple[int, int]]:
        """Yield where a space maps a home: address, and bytes of it there."""
        if not space.is_translated:
            yield physical, self.size
            return

        def read(address: PhysicalAddress) -> bytes:
            page = guest.memory.page(address)
            return bytes(PAGE_SIZE) if page is None else bytes(page)

        stop = physical + self.size
        for page in guest.arch.iter_mappings(space, read, (PhysicalAddress(physical), self.size)):
            start = max(physical, page.physical)
            yield page.virtual + start - page.physical, min(stop, page.physical + page.size) - start

    def pause(self, guest: LiveGuest) -> None:
        """Take the watchpoints away, so that a hart can be stepped over what hit one."""
        for virtual, (size, _) in self.places.items():
            guest.stub.ask(b"z2,%x,%x" % (virtual, size))

    def go_on(self, guest: LiveGuest) -> None:
        """Set again what ``pause`` took away."""
        for virtual, (size, _) in self.places.items():
            guest.stub.ask(b"Z2,%x,%x" % (virtual, size))

    def _leave(self, guest: LiveGuest, home: int) -> None:
        """Watch no more what was the place in an address space that has changed."""
        for virtual in [virtual for virtual, place in self.places.items() if place[1] == home]:
            guest.stub.ask(b"z2,%x,%x" % (virtual, self.places.pop(virtual)[0]))

    def _set(self, guest: LiveGuest, virtual: int, size: int, home: int) -> None:
        if virtual in self.places:
            self.places[virtual] = self.places[virtual][0], home
        elif len(self.places) < PLACES_LIMIT:
            reply = guest.stub.ask(b"Z2,%x,%x" % (virtual, size))
            if reply != b"OK":
                raise StubError(f"the stub sets no watchpoint at {virtual:#x}: it answers {reply[:20]!r}")
            self.places[virtual] = size, home


@dataclass(frozen=True)
class Target:
    """Where the instruction that a hart stands at is about to store."""

    virtual: int
    physical: int
    size: int


def find_target(guest: LiveGuest, hart: int) -> Target | None:
    """Return where the next instruction of a hart stores; None where that is not known, or nowhere."""
    state = guest.harts[hart]
    code = guest.code(hart, state.pc)
    use = None if code is None else guest.arch.effect(code[1]).memory
    base = None if use is None else state.values[use.base]
    if use is None or base is None or not use.stores:
        return None
    virtual = base + use.offset & (1 << 64) - 1
    physical = guest.translate(hart, virtual)
    return None if physical is None else Target(virtual, physical, use.size)
