"""Which compilation unit holds an address: the ranges of all units' roots, sorted."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tracedbg.symbols.dwarf_units import DwarfUnits, Unit
from tracedbg.symbols.image import ElfImage

Addresses = npt.NDArray[np.uint64]


def loaded_ranges(image: ElfImage) -> list[tuple[int, int]]:
    """The [low, high) ranges that the linker kept. What it dropped keeps its debug entries, at 0 or -1."""
    ranges = [(s.address, s.address + s.size) for s in image.headers.sections if s.allocated and s.size]
    if not ranges:
        ranges = [
            (s.virtual_address, s.virtual_address + s.memory_size)
            for s in image.headers.segments
            if s.type == "PT_LOAD"
        ]
    return ranges


class UnitIndex:
    """Units by address. .debug_aranges is not used: it is often absent and adds nothing to the roots."""

    def __init__(self, units: DwarfUnits) -> None:
        self._units = units

    @cached_property
    def _ranges(self) -> tuple[Addresses, Addresses, npt.NDArray[np.int64]]:
        found = []
        loaded = loaded_ranges(self._units.image)
        for unit in self._units.units:
            for low, high in self._units.ranges(unit, self._units.root(unit)):
                if any(first <= low < last for first, last in loaded):
                    found.append((low, high, unit.index))
        found.sort()
        lows, highs = [row[0] for row in found], [row[1] for row in found]
        return (
            np.array(lows, np.uint64), np.array(highs, np.uint64),
            np.array([row[2] for row in found], np.int64),
        )  # fmt: skip

    def find(self, address: int) -> Unit | None:
        """The unit whose range begins last at or before ``address`` and reaches over it."""
        if not 0 <= address < 2**64:
            return None
        low, high, index = self._ranges
        position = int(np.searchsorted(low, np.uint64(address), side="right")) - 1
        if position < 0 or high[position] <= address:
            return None
        return self._units.units[int(index[position])]

    def holds(self, address: int) -> bool:
        """Whether any unit has code at ``address``."""
        return self.find(address) is not None

    def group(self, addresses: Addresses) -> Iterator[tuple[Unit, Addresses]]:
        """The addresses by unit; those outside all units are left out."""
        low, high, index = self._ranges
        position = np.searchsorted(low, addresses, side="right") - 1
        inside = position >= 0
        inside[inside] = high[position[inside]] > addresses[inside]
        home, kept = index[position[inside]], addresses[inside]
        for number in np.unique(home):
            yield self._units.units[int(number)], kept[home == number]
