"""Compilation units of .debug_info: their headers, first entries and addresses (DWARF 5, 3.1 and 7.5)."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tracedbg.symbols.dwarf_abbreviations import Abbreviation, AbbreviationTable, find_abbreviation
from tracedbg.symbols.dwarf_forms import FormReader, UnitEncoding, Value
from tracedbg.symbols.dwarf_ranges import read_ranges
from tracedbg.symbols.dwarf_tags import At
from tracedbg.symbols.image import ElfImage
from tracedbg.symbols.reader import Cursor

_SKELETON, _COMPILE, _PARTIAL = 4, 1, 3
_TYPE_UNITS = (2, 6)
_SPLIT_COMPILE = 5


@dataclass(frozen=True, slots=True)
class Unit:
    """A unit's header; offsets are into .debug_info, ``end`` exclusive."""

    index: int
    offset: int
    first_entry: int
    end: int
    abbreviations: int
    encoding: UnitEncoding


class DwarfUnits:
    """All units of a file and the entry that each begins with; read when first asked for."""

    def __init__(self, image: ElfImage) -> None:
        self.image = image
        self._tables: dict[int, AbbreviationTable] = {}
        self._forms: dict[int, FormReader] = {}
        self._roots: dict[int, dict[int, Value]] = {}

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """The compile, partial and skeleton units, in the order of the file."""
        return tuple(self._read_headers())

    def _read_headers(self) -> Iterator[Unit]:
        section = self.image.section_data(".debug_info")
        cursor = Cursor(section)
        index = 0
        while cursor.offset < len(section):
            start = cursor.offset
            end, offset_size = cursor.initial_length()
            unit = self._read_header(Cursor(section, cursor.offset, end), start, index, offset_size)
            if unit is not None:
                index += 1
                yield unit
            cursor.offset = end

    def _read_header(self, cursor: Cursor, start: int, index: int, offset_size: int) -> Unit | None:
        version = cursor.unsigned(2)
        if not 2 <= version <= 5:
            cursor.section.fail(start, f"DWARF version {version} is not known")
        kind = cursor.unsigned(1) if version == 5 else _COMPILE
        if version == 5:
            address_size, abbreviations = cursor.unsigned(1), cursor.unsigned(offset_size)
        else:
            abbreviations, address_size = cursor.unsigned(offset_size), cursor.unsigned(1)
        if address_size not in (4, 8):
            cursor.section.fail(start, f"addresses of {address_size} bytes")
        if kind in (_SKELETON, _SPLIT_COMPILE):
            cursor.skip(8)
        if kind in _TYPE_UNITS:
            return None
        encoding = UnitEncoding(version, offset_size, address_size, start)
        return Unit(index, start, cursor.offset, cursor.end, abbreviations, encoding)

    def forms(self, unit: Unit) -> FormReader:
        """Reads attribute values of entries in this unit; its bases come from the unit's root."""
        forms = self._forms.get(unit.offset)
        if forms is None:
            forms = self._forms[unit.offset] = self._form_reader(unit)
        return forms

    def _form_reader(self, unit: Unit) -> FormReader:
        root = self.root(unit)
        bases = {name: root[name] for name in (At.STR_OFFSETS_BASE, At.ADDR_BASE) if name in root}
        return FormReader(self.image, unit.encoding, bases)

    def table(self, unit: Unit) -> AbbreviationTable:
        """The whole abbreviation table of a unit."""
        table = self._tables.get(unit.abbreviations)
        if table is None:
            section = self.image.section_data(".debug_abbrev")
            table = self._tables[unit.abbreviations] = AbbreviationTable(section, unit.abbreviations)
        return table

    def root(self, unit: Unit) -> dict[int, Value]:
        """The attributes of the unit's first entry; strings by index are resolved by ``text``."""
        root = self._roots.get(unit.offset)
        if root is None:
            root = self._roots[unit.offset] = self._read_root(unit)
        return root

    def _read_root(self, unit: Unit) -> dict[int, Value]:
        cursor = Cursor(self.image.section_data(".debug_info"), unit.first_entry, unit.end)
        code = cursor.uleb() if cursor.offset < cursor.end else 0
        if code == 0:
            return {}
        section = self.image.section_data(".debug_abbrev")
        abbreviation = find_abbreviation(section, unit.abbreviations, code)
        return FormReader(self.image, unit.encoding, {}).entry(cursor, abbreviation)

    def entry_at(self, offset: int) -> tuple[Unit, Abbreviation, dict[int, Value]] | None:
        """The entry at an offset of .debug_info and its unit, None at a null entry."""
        position = int(np.searchsorted(self._offsets, offset, side="right")) - 1
        section = self.image.section_data(".debug_info")
        if position < 0 or offset >= self.units[position].end:
            section.fail(offset, "no entry there")
        unit = self.units[position]
        cursor = Cursor(section, offset, unit.end)
        code = cursor.uleb()
        if code == 0:
            return None
        abbreviation = self.table(unit).find(code)
        return unit, abbreviation, self.forms(unit).entry(cursor, abbreviation)

    @cached_property
    def _offsets(self) -> npt.NDArray[np.int64]:
        return np.array([unit.offset for unit in self.units], np.int64)

    def text(self, unit: Unit, value: Value | None) -> str:
        """An attribute that is a string, wherever it is kept; empty without one."""
        return self.forms(unit).text(value)

    def ranges(self, unit: Unit, attributes: dict[int, Value]) -> list[tuple[int, int]]:
        """The [low, high) address ranges of an entry of ``unit``."""
        return read_ranges(self.forms(unit), self.root(unit), attributes)
