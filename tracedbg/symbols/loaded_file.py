"""One symbol file at its place in the guest: every question, with the load bias taken off and put on."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from tracedbg.ids import PhysicalAddress, VirtualAddress
from tracedbg.symbols.dwarf_units import DwarfUnits
from tracedbg.symbols.frame_index import FrameIndex
from tracedbg.symbols.frame_rules import unwind_row
from tracedbg.symbols.image import EXECUTABLE, WRITABLE, ElfImage
from tracedbg.symbols.inlines import InlineTable
from tracedbg.symbols.line_table import LineTable
from tracedbg.symbols.model import (
    Content,
    InlinedCall,
    LoadSegment,
    SourceLine,
    Symbol,
    SymbolAt,
    UnwindRow,
)
from tracedbg.symbols.symtab import ElfSymbols
from tracedbg.symbols.unit_index import UnitIndex

_FRAME_SECTIONS = (".eh_frame", ".debug_frame")


@dataclass(frozen=True, slots=True)
class SymbolFile:
    """What to load: a path or the bytes of an ELF file.

    ``bias`` is added to every address of the file (0 for a kernel that runs where it was linked; the
    same file may be given twice, as for code that first runs at its physical address). ``name`` stands
    in messages in place of the path.
    """

    source: Path | bytes
    bias: int = 0
    name: str | None = None


class LoadedFile:
    """Answers for addresses of the guest; raises SymbolError, with the file's name, when it is malformed."""

    def __init__(self, file: SymbolFile) -> None:
        self.image = ElfImage(file.source, file.name)
        self.bias = file.bias
        self.symbols = ElfSymbols(self.image)
        units = DwarfUnits(self.image)
        index = UnitIndex(units)
        self.lines = LineTable(units, index)
        self._inlines = InlineTable(units, index, self.lines)

    @cached_property
    def _frames(self) -> tuple[FrameIndex, ...]:
        return tuple(FrameIndex(self.image, name) for name in _FRAME_SECTIONS)

    def linked(self, address: int) -> int:
        """The address as the file has it."""
        return address - self.bias

    def _placed(self, address: int) -> VirtualAddress:
        return VirtualAddress(address + self.bias)

    def find_symbol_at(self, address: int) -> SymbolAt | None:
        """The symbol that covers ``address``."""
        found = self.symbols.find_at(self.linked(address))
        return None if found is None else replace(found, start=self._placed(found.start))

    def find_symbols(self, name: str) -> list[Symbol]:
        """Every symbol of that name, best first."""
        return [replace(found, address=self._placed(found.address)) for found in self.symbols.find_all(name)]

    def functions(self) -> list[Symbol]:
        """Every function symbol, by address."""
        return [replace(found, address=self._placed(found.address)) for found in self.symbols.functions()]

    def objects(self) -> list[Symbol]:
        """Every data object, by address."""
        return [replace(found, address=self._placed(found.address)) for found in self.symbols.objects()]

    def find_line(self, address: int) -> SourceLine | None:
        """The source line of an instruction."""
        return self.lines.find_line(self.linked(address))

    def find_addresses(self, file: str, line: int) -> list[VirtualAddress]:
        """Where the code of a source line begins, ascending."""
        return [self._placed(address) for address in self.lines.find_addresses(file, line)]

    def find_inlined(self, address: int) -> tuple[InlinedCall, ...]:
        """The calls inlined at ``address``, innermost first."""
        return self._inlines.find_calls(self.linked(address))

    def find_unwind_row(self, address: int) -> UnwindRow | None:
        """The unwind row that holds while pc is ``address``."""
        linked = self.linked(address)
        for frames in self._frames:
            description = frames.find(linked)
            if description is not None:
                row = unwind_row(frames.section, description, linked)
                return replace(row, start=self._placed(row.start), end=self._placed(row.end))
        return None

    def load_segments(self) -> list[LoadSegment]:
        """The PT_LOAD segments in the file's order; physical addresses as the file has them."""
        return [
            LoadSegment(
                self._placed(segment.virtual_address),
                PhysicalAddress(segment.physical_address),
                self.image.read(segment.offset, segment.file_size, "a PT_LOAD segment"),
                segment.memory_size,
            )
            for segment in self.image.headers.segments
            if segment.type == "PT_LOAD"
        ]

    def iter_contents(self, start: int, size: int) -> Iterator[Content]:
        """Yield what each section that reaches into a range is loaded as."""
        first = self.linked(start)
        for section in self.image.headers.sections:
            if (
                section.allocated
                and section.address < first + size
                and first < section.address + section.size
            ):
                if section.flags & EXECUTABLE:
                    yield Content.CODE
                else:
                    yield Content.DATA if section.flags & WRITABLE else Content.READ_ONLY
