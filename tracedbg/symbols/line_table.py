"""Source lines of one ELF file: address to line, line to addresses, unit by unit when asked for."""

from collections.abc import Iterator
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tracedbg.symbols.dwarf_tags import At
from tracedbg.symbols.dwarf_units import DwarfUnits, Unit
from tracedbg.symbols.line_header import LineHeader, read_line_header
from tracedbg.symbols.line_program import LineRows, run_line_program
from tracedbg.symbols.model import SourceLine
from tracedbg.symbols.unit_index import UnitIndex


class LineTable:
    """Answers for addresses as linked; every decoded unit is kept."""

    def __init__(self, units: DwarfUnits, index: UnitIndex) -> None:
        self._units = units
        self._index = index
        self._headers: dict[int, LineHeader] = {}
        self._rows: dict[int, LineRows] = {}

    def header(self, unit: Unit) -> LineHeader | None:
        """The header of a unit's program, None when the unit has none."""
        root = self._units.root(unit)
        if At.STMT_LIST not in root:
            return None
        offset = root[At.STMT_LIST].number
        header = self._headers.get(offset)
        if header is None:
            folder = self._units.text(unit, root.get(At.COMP_DIR))
            size = unit.encoding.address_size
            header = self._headers[offset] = read_line_header(self._units.image, offset, size, folder)
        return header

    def _rows_of(self, header: LineHeader) -> LineRows:
        rows = self._rows.get(header.start)
        if rows is None:
            rows = self._rows[header.start] = run_line_program(header)
        return rows

    def find_line(self, address: int) -> SourceLine | None:
        """The source line of the instruction at ``address``; None where the table says line 0 or nothing."""
        unit = self._index.find(address)
        header = None if unit is None else self.header(unit)
        if header is None:
            return None
        rows = self._rows_of(header)
        row = rows.find(address)
        if row is None or rows.line[row] == 0:
            return None
        file = header.file(int(rows.file[row]))
        return None if not file else SourceLine(file, int(rows.line[row]), int(rows.column[row]))

    def iter_headers(self) -> Iterator[LineHeader]:
        """The header of every program, once each."""
        seen: set[int] = set()
        for unit in self._units.units:
            header = self.header(unit)
            if header is not None and header.start not in seen:
                seen.add(header.start)
                yield header

    @cached_property
    def _programs_by_name(self) -> dict[str, list[tuple[LineHeader, int]]]:
        """Programs and their file register, by the file's name without folders."""
        found: dict[str, list[tuple[LineHeader, int]]] = {}
        for header in self.iter_headers():
            for register, path in enumerate(header.files):
                if path:
                    found.setdefault(path.rpartition("/")[2], []).append((header, register))
        return found

    def files(self) -> list[str]:
        """Every source file that any program names, sorted, used by code or not."""
        return sorted({path for header in self.iter_headers() for path in header.files if path})

    def find_addresses(self, file: str, line: int) -> list[int]:
        """Where code of ``line`` begins, ascending: the start of each run of that line's rows.

        ``file`` is a path or its last components.
        """
        starts: set[int] = set()
        for header, register in self._programs_by_name.get(file.rpartition("/")[2], []):
            path = header.files[register]
            if path == file or path.endswith("/" + file.lstrip("/")):
                starts.update(self._run_starts(header, register, line))
        return sorted(start for start in starts if self._index.holds(start))

    def _run_starts(self, header: LineHeader, register: int, line: int) -> list[int]:
        rows = self._rows_of(header)
        if len(rows.address) < 2:
            return []
        covers = np.append((rows.address[1:] > rows.address[:-1]), False) & ~rows.ends
        here = (rows.line == line) & (rows.file == register) & covers
        kept = np.flatnonzero(covers | rows.ends)
        follows = np.append(False, here[kept][:-1])
        first: npt.NDArray[np.intp] = kept[here[kept] & ~follows & rows.statement[kept]]
        return [int(address) for address in rows.address[first]]

    def files_of(self, addresses: npt.NDArray[np.uint64]) -> set[str]:
        """The source files that the lines of ``addresses`` (any order) lie in."""
        found: set[str] = set()
        for unit, inside in self._index.group(addresses):
            header = self.header(unit)
            if header is None:
                continue
            rows = self._rows_of(header)
            index = np.searchsorted(rows.address, inside, side="right") - 1
            index = index[index >= 0]
            index = index[~rows.ends[index]]
            paths = (header.file(int(register)) for register in np.unique(rows.file[index]))
            found.update(path for path in paths if path)
        return found
