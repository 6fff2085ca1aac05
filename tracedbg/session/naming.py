"""Addresses as a person reads them: symbol, offset, file and line."""

from dataclasses import dataclass
from functools import cached_property

from tracedbg.ids import VirtualAddress
from tracedbg.symbols import SourceLine, SymbolTable


@dataclass(frozen=True)
class Names:
    """What the symbol files of a trace call its addresses; everything is empty without symbols."""

    table: SymbolTable

    def symbol(self, address: int) -> str:
        """``name+0x1c``, or nothing."""
        found = self.table.at(VirtualAddress(address))
        if found is None:
            return ""
        return found.demangled + (f"+{found.offset:#x}" if found.offset else "")

    def line(self, address: int) -> str:
        """``file.c:12`` with the file's name alone, or nothing."""
        found = self.table.line_at(VirtualAddress(address))
        return "" if found is None else file_and_line(found)

    def place(self, address: int) -> str:
        """An address with all that is known of it: ``80206c1e map_extent+0x1c fs.c:214``."""
        parts = (f"{address:x}", self.symbol(address), self.line(address))
        return " ".join(part for part in parts if part)

    @cached_property
    def functions(self) -> tuple[str, ...]:
        """The names of all functions, sorted."""
        return tuple(sorted({symbol.demangled for symbol in self.table.functions()}))


def file_and_line(source: SourceLine) -> str:
    """``file.c:12``, without the folders."""
    return f"{source.file.rsplit('/', 1)[-1]}:{source.line}"
