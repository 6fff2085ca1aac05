"""Memory at a moment, by physical and by virtual address."""

from collections.abc import Callable, Iterator
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tracedbg.arch import AddressSpace, Walk
from tracedbg.errors import UsageError
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Frame, PhysicalAddress, Time, VirtualAddress
from tracedbg.query import page_at
from tracedbg.query.memory import SIZE_LIMIT, memory_at
from tracedbg.query.pages import is_worth_a_page
from tracedbg.state.known import Gap, Known, join, unknown
from tracedbg.state.uncertainty import unproven
from tracedbg.store.trace import Trace

PAGES_KEPT = 512
LITTLE = 64
"""Bytes of a page that may be looked up without the others."""
_ADDRESSES = 1 << 64
_PHYSICAL_LIMIT = 1 << 63
"""No machine has memory from here on."""

Translate = Callable[[VirtualAddress, AddressSpace | int | None], Walk]
"""Walks the page tables of an address space, None for the one in force."""

Page = tuple[NDArray[np.uint8], NDArray[np.bool_]]


class Memory:
    """Reads memory as it is before the instruction at ``t`` runs.

    Of RAM everything is known but what a device may have changed unnoticed (see uncertainty). Other memory,
    such as boot ROM, is known from its first load on; a device's registers are never known. Of a capture only
    what was read, loaded or stored since the guest last ran unseen is known. Both reads
    raise UsageError for a range that is no range of addresses or is larger than 64 MiB.
    """

    def __init__(self, trace: Trace, t: Time, translate: Translate) -> None:
        self._trace = trace
        self._t = t
        self._translate = translate
        self._page = lru_cache(maxsize=PAGES_KEPT)(self._read_page)

    def read_physical(self, address: PhysicalAddress | int, size: int) -> Known:
        """Return ``size`` bytes from a physical address on."""
        _check(address, size)
        parts = [self._part(*piece) for piece in _pieces(address, size)]
        return join(parts)

    def read_virtual(
        self, address: VirtualAddress | int, size: int, *, space: AddressSpace | int | None = None
    ) -> Known:
        """Return ``size`` bytes from a virtual address on, as the hart would load them at ``t``.

        Bytes without a translation are not known, and ``gaps`` says for each page why. ``space`` is another
        address space than the one in force, or its value of satp.
        """
        _check(address, size)
        parts = []
        for start, length in _pieces(address, size):
            walk = self._translate(VirtualAddress(start), space)
            parts.append(self._virtual_part(walk, length))
        return join(parts)

    def word(self, address: PhysicalAddress | int) -> int | None:
        """Return the 8 bytes at a physical address as a number, None unless all are known."""
        return None if address + 8 > _ADDRESSES else self.read_physical(address, 8).integer

    def page(self, address: PhysicalAddress | int) -> bytes:
        """Return the page that holds a physical address; unknown bytes read as zero."""
        return self._page(address // PAGE_SIZE)[0].tobytes()

    def _part(self, address: int, size: int) -> Known:
        start, (content, known) = self._around(address, size)
        place = slice(address - start, address - start + size)
        gaps = () if known[place].all() else (Gap(address, size, self._reason(address)),)
        return Known(content[place].tobytes(), known[place].tobytes(), gaps)

    def _virtual_part(self, walk: Walk, size: int) -> Known:
        address = walk.virtual
        if walk.physical is None:
            return unknown(address, size, walk.problem or "there is no translation")
        found = self._part(walk.physical, size)
        gaps = tuple(Gap(address, size, f"{gap.reason} (physical {walk.physical:#x})") for gap in found.gaps)
        return Known(found.data, found.mask, gaps)

    def _reason(self, address: int) -> str:
        guest = self._trace.guest
        if guest.is_ram(PhysicalAddress(address)) and guest.is_capture:
            return "it was not read since the guest last ran unseen, or a device may have written there"
        if guest.is_ram(PhysicalAddress(address)):
            return "a device may have written there unnoticed"
        for device in guest.devices:
            if device.start <= address < device.start + device.size:
                return f"device {device.name} answers there"
        return "not RAM, and not seen before this moment"

    def _around(self, address: int, size: int) -> tuple[int, Page]:
        """Return bytes of the page of some of them, these included, and where they begin."""
        frame = Frame(address // PAGE_SIZE)
        is_little = 0 < size <= LITTLE and address < _PHYSICAL_LIMIT and not self._trace.guest.is_capture
        if not is_little or is_worth_a_page(self._trace, frame, self._t):
            return frame * PAGE_SIZE, self._page(frame)
        start, stop = address & -8, -(-(address + size) // 8) * 8
        return start, self._proven(
            start, memory_at(self._trace, PhysicalAddress(start), stop - start, self._t)
        )

    def _read_page(self, frame: int) -> Page:
        start = PhysicalAddress(frame * PAGE_SIZE)
        if start >= _PHYSICAL_LIMIT:
            return np.zeros(PAGE_SIZE, np.uint8), np.zeros(PAGE_SIZE, np.bool_)
        return self._proven(start, page_at(self._trace, Frame(frame), self._t))

    def _proven(self, start: int, seeming: Page) -> Page:
        """Return what bytes from ``start`` on seem to be, without those that a device may have changed."""
        content, known = seeming
        if self._trace.guest.is_ram(PhysicalAddress(start)):
            known &= ~unproven(self._trace, start, self._t, content)
        content[~known] = 0
        return content, known


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
