"""Functions inlined at an address, from the DW_TAG_inlined_subroutine entries (DWARF 5, 3.3.8.2)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracedbg.symbols.demangle import demangle
from tracedbg.symbols.dwarf_forms import Value
from tracedbg.symbols.dwarf_scan import scan_entries
from tracedbg.symbols.dwarf_tags import At, Tag
from tracedbg.symbols.dwarf_units import DwarfUnits, Unit
from tracedbg.symbols.line_table import LineTable
from tracedbg.symbols.model import InlinedCall, SourceLine
from tracedbg.symbols.unit_index import UnitIndex

_LONGEST_CHAIN = 16
_LINKAGE = (At.LINKAGE_NAME, At.MIPS_LINKAGE_NAME)
_ORIGINS = (At.ABSTRACT_ORIGIN, At.SPECIFICATION)


@dataclass(frozen=True, slots=True)
class _Inlined:
    """One row for each range of each inlined call of a unit; ``entry`` indexes ``attributes``."""

    low: npt.NDArray[np.uint64]
    high: npt.NDArray[np.uint64]
    depth: npt.NDArray[np.int64]
    entry: npt.NDArray[np.int64]
    attributes: tuple[dict[int, Value], ...]


class InlineTable:
    """Answers for addresses as linked; a unit's entries are scanned once, when first asked for."""

    def __init__(self, units: DwarfUnits, index: UnitIndex, lines: LineTable) -> None:
        self._units = units
        self._index = index
        self._lines = lines
        self._by_unit: dict[int, _Inlined] = {}

    def find_calls(self, address: int) -> tuple[InlinedCall, ...]:
        """The calls inlined at ``address``, innermost first."""
        unit = self._index.find(address)
        if unit is None:
            return ()
        inlined = self._of_unit(unit)
        here = np.flatnonzero((inlined.low <= np.uint64(address)) & (np.uint64(address) < inlined.high))
        here = here[np.argsort(-inlined.depth[here], kind="stable")]
        return tuple(self._call(unit, inlined.attributes[entry]) for entry in inlined.entry[here])

    def _of_unit(self, unit: Unit) -> _Inlined:
        inlined = self._by_unit.get(unit.offset)
        if inlined is None:
            inlined = self._by_unit[unit.offset] = self._scan(unit)
        return inlined

    def _scan(self, unit: Unit) -> _Inlined:
        rows: list[tuple[int, int, int, int]] = []
        entries: list[dict[int, Value]] = []
        for depth, attributes in scan_entries(self._units, unit, {Tag.INLINED_SUBROUTINE}):
            for low, high in self._units.ranges(unit, attributes):
                rows.append((low, high, depth, len(entries)))
            entries.append(attributes)
        numbers = np.array(rows, np.uint64).reshape(-1, 4)
        small = numbers[:, 2:].astype(np.int64)
        return _Inlined(numbers[:, 0], numbers[:, 1], small[:, 0], small[:, 1], tuple(entries))

    def _call(self, unit: Unit, attributes: dict[int, Value]) -> InlinedCall:
        name = self._name(unit, attributes)
        return InlinedCall(name, demangle(name), self._call_site(unit, attributes))

    def _call_site(self, unit: Unit, attributes: dict[int, Value]) -> SourceLine | None:
        header = self._lines.header(unit)
        if header is None or At.CALL_FILE not in attributes or At.CALL_LINE not in attributes:
            return None
        file = header.file(attributes[At.CALL_FILE].number)
        line, column = attributes[At.CALL_LINE].number, attributes.get(At.CALL_COLUMN)
        return SourceLine(file, line, column.number if column else 0) if file and line else None

    def _name(self, unit: Unit, attributes: dict[int, Value]) -> str:
        """The linker's name of the function, else its plain name; ``?`` where the file tells neither."""
        plain = ""
        for _ in range(_LONGEST_CHAIN):
            for name in _LINKAGE:
                if name in attributes:
                    return self._units.text(unit, attributes[name])
            plain = plain or self._units.text(unit, attributes.get(At.NAME))
            origin = next((attributes[name] for name in _ORIGINS if name in attributes), None)
            target = None if origin is None else self._units.forms(unit).reference(origin)
            found = None if target is None else self._units.entry_at(target)
            if found is None:
                break
            unit, _, attributes = found
        return plain or "?"
