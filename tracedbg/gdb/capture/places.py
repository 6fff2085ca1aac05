"""Where in physical memory the next instruction of a hart lies, and where it is about to load and store."""

from collections.abc import Sequence
from typing import NamedTuple

from tracedbg.arch import Use
from tracedbg.arch.effect import Effect, MemoryUse
from tracedbg.format.schema import PAGE_SIZE, AccessKind
from tracedbg.gdb.capture.guest import LiveGuest

ADDRESSES = (1 << 64) - 1
_LARGEST = 8


class Located(NamedTuple):
    """An access to come; ``pieces`` are (physical, size), one for each page."""

    use: MemoryUse
    virtual: int
    pieces: tuple[tuple[int, int], ...]
    kind: AccessKind


class Places:
    """Translates for one hart while it is stepped; what it found is kept until ``forget``."""

    def __init__(self, guest: LiveGuest, hart: int) -> None:
        self._guest = guest
        self._hart = hart
        self._translations: dict[tuple[int, Use], int | None] = {}
        self._tables: set[int] = set()

    def forget(self) -> None:
        """The address space is another one now, or its tables have changed."""
        self._translations.clear()
        self._tables.clear()

    def stored(self, physical: int) -> None:
        """A store was made; one to a page table may change translations."""
        if physical & -PAGE_SIZE in self._tables:
            self.forget()

    def fetch(self, pc: int) -> tuple[int, bytes] | None:
        """Return physical address and bytes of an instruction; None where there is none to be read."""
        physical = self._translate(pc, Use.FETCH)
        first = None if physical is None else self._guest.memory.read(physical, 4)
        if physical is not None and first is not None:
            length = self._guest.arch.effect(first.ljust(4, b"\0")).length
            if length <= len(first):
                return physical, first[:length]
            rest = self._translate(pc + len(first), Use.FETCH)
            second = None if rest is None else self._guest.memory.read(rest, length - len(first))
            if second is not None:
                return physical, first + second
        return None

    def readable(self, located: Located | None, effect: Effect) -> tuple[tuple[int, int], ...]:
        """Return what to read after an access, where memory tells more than registers do: (address, size).

        Devices are never read. Without a mode for it the stub reads by virtual address.
        """
        if located is None or located.kind == AccessKind.DEVICE:
            return ()
        if not located.use.stores and located.use.integer and effect.destination:
            return ()
        has_mode = self._guest.physical.has_mode
        return located.pieces if has_mode else ((located.virtual, located.use.size),)

    def locate(self, use: MemoryUse, words: Sequence[int]) -> Located | None:
        """Return where an access is going to be with these registers; None where that cannot be told."""
        virtual = words[use.base] + use.offset & ADDRESSES
        first = min(use.size, PAGE_SIZE - virtual % PAGE_SIZE)
        physical = self._translate(virtual, Use.DATA)
        if physical is None or use.size > _LARGEST:
            return None
        pieces = [(physical, first)]
        if first < use.size:
            second = self._translate(virtual + first & ADDRESSES, Use.DATA)
            if second is None:
                return None
            pieces.append((second, use.size - first))
        return Located(use, virtual, tuple(pieces), self._kind(physical))

    def _kind(self, physical: int) -> AccessKind:
        if self._guest.memory.is_ram(physical):
            return AccessKind.RAM
        return AccessKind.OTHER_MEMORY if self._guest.memory.is_memory(physical) else AccessKind.DEVICE

    def _translate(self, virtual: int, use: Use) -> int | None:
        key = virtual & -PAGE_SIZE, use
        if key not in self._translations:
            space = self._guest.space(self._hart, use)
            walk = None if space is None else self._guest.walk(space, key[0])
            if walk is not None:
                self._tables.update(level.address & -PAGE_SIZE for level in walk.levels)
            self._translations[key] = None if walk is None else walk.physical
        page = self._translations[key]
        return None if page is None else page | virtual % PAGE_SIZE
