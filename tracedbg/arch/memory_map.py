"""The map of physical memory, as QEMU's monitor prints it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from tracedbg.ids import PhysicalAddress

UART_NAMES = ("serial", "uart")
"""What QEMU's names of UARTs have in them."""

RangeKind = Literal["ram", "memory", "rom", "device"]
_KINDS: dict[str, RangeKind] = {
    "ram": "memory",
    "nv-ram": "memory",
    "ramd": "memory",
    "rom": "rom",
    "romd": "rom",
    "nv-romd": "rom",
    "i/o": "device",
}
_RANGE = re.compile(
    r"\s+([0-9a-f]{16})-([0-9a-f]{16}) \(prio -?\d+, ([a-z/-]+)\): (.*?)(?: @([0-9a-f]{16}))?(?: KVM)?\s*"
)


@dataclass(frozen=True)
class MemoryRange:
    """Guest-physical bytes ``[start, start + size)`` as the CPUs see them.

    ``ram`` is the main backend, and ``offset`` where in it the range begins; ``memory`` is other RAM, ``rom``
    boot ROM and flash, ``device`` everything that a device answers. ``name`` is QEMU's.
    """

    start: PhysicalAddress
    size: int
    kind: RangeKind
    name: str
    offset: int


def parse_memory_map(text: str, ram_id: str) -> tuple[MemoryRange, ...]:
    """Return the ranges of the CPUs' address space from what ``info mtree -f`` prints, ascending.

    >>> parse_memory_map('''
    ...  AS "memory", root: system
    ...   0000000080000000-0000000087ffffff (prio 0, ram): tracedbg-ram
    ... ''', "tracedbg-ram")[0].kind
    'ram'
    """
    views = re.split(r"^FlatView #\d+\s*$", text, flags=re.MULTILINE)
    for name in ("cpu-memory-0", "memory"):
        for view in views:
            if f' AS "{name}", root:' in view:
                return _ranges(view, ram_id)
    return ()


def _ranges(view: str, ram_id: str) -> tuple[MemoryRange, ...]:
    found = []
    for line in view.splitlines():
        match = _RANGE.fullmatch(line)
        if match:
            first, last = int(match[1], 16), int(match[2], 16)
            kind = _KINDS.get(match[3], "device")
            if kind == "memory" and match[4] == ram_id:
                kind = "ram"
            offset = int(match[5] or "0", 16)
            found.append(MemoryRange(PhysicalAddress(first), last - first + 1, kind, match[4], offset))
    return tuple(found)


def is_uart(name: str) -> bool:
    """Say whether a device of QEMU's is a UART, by its name."""
    return any(part in name for part in UART_NAMES)


def uart_addresses(memory: Sequence[MemoryRange]) -> tuple[int, ...]:
    """Return the physical address of each UART's data register, which is its first."""
    return tuple(area.start for area in memory if area.kind == "device" and is_uart(area.name))
