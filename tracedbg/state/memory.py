"""Memory at a moment, by physical and by virtual address."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tracedbg.arch import Walk
from tracedbg.errors import UsageError
from tracedbg.format.schema import ACCESS_KIND_MASK, ACCESS_KIND_SHIFT, PAGE_SIZE, AccessKind
from tracedbg.ids import PhysicalAddress, Time, VirtualAddress
from tracedbg.query import accesses, memory_at
from tracedbg.query.memory import SIZE_LIMIT
from tracedbg.query.rows import Rows
from tracedbg.state.known import Gap, Known, join, unknown
from tracedbg.state.uncertainty import unproven
from tracedbg.store.trace import Trace

PAGES_KEPT = 512
_ADDRESSES = 1 << 64

Page = tuple[NDArray[np.uint8], NDArray[np.bool_]]


class Memory:
    """Reads memory as it is before the instruction at ``t`` runs.

    Of RAM everything is known but what a device may have changed unnoticed (see uncertainty). Other memory,
    such as boot ROM, is known from its first load on; a device's registers are never known. Both reads
    raise UsageError for a range that is no range of addresses or is larger than 64 MiB.
    """

    def __init__(self, trace: Trace, t: Time, translate: Callable[[VirtualAddress], Walk]) -> None:
        self._trace = trace
        self._t = t
        self._translate = translate
        self._page = lru_cache(maxsize=PAGES_KEPT)(self._read_page)

    def read_physical(self, address: PhysicalAddress | int, size: int) -> Known:
        """Return ``size`` bytes from a physical address on."""
        _check(address, size)
        parts = [self._part(*piece) for piece in _pieces(address, size)]
        return join(parts)

    def read_virtual(self, address: VirtualAddress | int, size: int) -> Known:
        """Return ``size`` bytes from a virtual address on, as the hart would load them at ``t``.

        Bytes without a translation are not known, and ``gaps`` says for each page why.
        """
        _check(address, size)
        return join([self._virtual_part(*piece) for piece in _pieces(address, size)])

    def word(self, address: PhysicalAddress | int) -> int | None:
        """Return the 8 bytes at a physical address as a number, None unless all are known."""
        return None if address + 8 > _ADDRESSES else self.read_physical(address, 8).integer

    def page(self, address: PhysicalAddress | int) -> bytes:
        """Return the page that holds a physical address; unknown bytes read as zero."""
        return self._page(address // PAGE_SIZE)[0].tobytes()

    def _part(self, address: int, size: int) -> Known:
        content, known = self._page(address // PAGE_SIZE)
        place = slice(address % PAGE_SIZE, address % PAGE_SIZE + size)
        gaps = () if known[place].all() else (Gap(address, size, self._reason(address)),)
        return Known(content[place].tobytes(), known[place].tobytes(), gaps)

    def _virtual_part(self, address: int, size: int) -> Known:
        walk = self._translate(VirtualAddress(address))
        if walk.physical is None:
            return unknown(address, size, walk.problem or "there is no translation")
        found = self._part(walk.physical, size)
        gaps = tuple(Gap(address, size, f"{gap.reason} (physical {walk.physical:#x})") for gap in found.gaps)
        return Known(found.data, found.mask, gaps)

    def _reason(self, address: int) -> str:
        guest = self._trace.guest
        if guest.is_ram(PhysicalAddress(address)):
            return "a device may have written there unnoticed"
        for device in guest.devices:
            if device.start <= address < device.start + device.size:
                return f"device {device.name} answers there"
        return "not RAM, and not seen before this moment"

    def _read_page(self, frame: int) -> Page:
        start = PhysicalAddress(frame * PAGE_SIZE)
        content, known = memory_at(self._trace, start, PAGE_SIZE, self._t)
        if self._trace.guest.is_ram(start):
            known &= ~unproven(self._trace, frame, self._t, content)
        else:
            self._add_seen(start, content, known)
        content[~known] = 0
        return content, known

    def _add_seen(self, start: PhysicalAddress, content: NDArray[np.uint8], known: NDArray[np.bool_]) -> None:
        """Put in what accesses to other memory in the epoch of t tell, loads as well as stores."""
        epoch = self._trace.epoch(self._trace.epoch_of(self._t))
        rows = accesses(self._trace, (start, PAGE_SIZE), between=(epoch.start, self._t))
        other = (rows["flags"] & ACCESS_KIND_MASK) == AccessKind.OTHER_MEMORY << ACCESS_KIND_SHIFT
        for address, byte in _seen_bytes(rows[other]):
            if 0 <= address - start < PAGE_SIZE:
                content[address - start] = byte
                known[address - start] = True


def _seen_bytes(rows: Rows) -> Iterator[tuple[int, int]]:
    for row in rows:
        start, size = int(row["physical"]), int(row["size"])
        room = PAGE_SIZE - start % PAGE_SIZE
        for index, byte in enumerate(int(row["value"]).to_bytes(8, "little")[:size]):
            yield (start + index if index < room else int(row["second"]) + index - room), byte


def _check(address: int, size: int) -> None:
    if not 0 <= size <= SIZE_LIMIT:
        raise UsageError(f"{size} bytes of memory at once: up to {SIZE_LIMIT} can be read")
    if not 0 <= address <= _ADDRESSES - size:
        raise UsageError(f"{size} bytes at {address:#x} lie outside the 64-bit address space")


def _pieces(address: int, size: int) -> Iterator[tuple[int, int]]:
    """Yield address and size of the parts of a range that lie in one page each."""
    stop = address + size
    while address < stop:
        end = min(stop, (address // PAGE_SIZE + 1) * PAGE_SIZE)
        yield address, end - address
        address = end
