"""Everything that the symbol files of a guest can say, asked by address or by name."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import RLock
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tracedbg.ids import VirtualAddress
from tracedbg.symbols.loaded_file import LoadedFile, SymbolFile
from tracedbg.symbols.model import (
    Content,
    InlinedCall,
    LoadSegment,
    SourceLine,
    Symbol,
    SymbolAt,
    UnwindRow,
)
from tracedbg.symbols.sources import SourceFinder

_HOW_MANY_NEAR = 5
_MOST_COMPARED = 10_000


class Linked(Protocol):
    """Knows of code that ran at another address than the one it is linked at."""

    def find(self, address: VirtualAddress) -> VirtualAddress | None:
        """Return where code is linked that ran at an address, None where none is known."""

    def places(self, address: VirtualAddress) -> Sequence[VirtualAddress]:
        """Return where else the code ran that is linked at an address."""


class SymbolTable:
    """One or several ELF files of a guest; where they overlap, the one given first answers.

    Opening reads headers only; tables are read and kept when first asked for. Every method may raise
    SymbolError, which names the file, for what is malformed. May be shared between threads.
    """

    def __init__(
        self, files: tuple[LoadedFile, ...], sources: SourceFinder, linked: Linked | None = None
    ) -> None:
        self._files = files
        self._sources = sources
        self._linked = linked
        self._lock = RLock()

    @classmethod
    def load(
        cls,
        files: Iterable[Path | bytes | SymbolFile],
        *,
        sources: Mapping[str, str] | None = None,
        source_folders: Iterable[Path] = (),
    ) -> "SymbolTable":
        """Open ELF files by path or by their bytes; SymbolError for what is no linked ELF file.

        ``sources`` carries source texts by the paths that line tables give. Otherwise sources are looked
        for at those paths, then in ``source_folders`` and in the folders of the ELF files and above them.
        """
        loaded = tuple(LoadedFile(_as_symbol_file(file)) for file in files)
        folders = dict.fromkeys(source_folders)
        for file in loaded:
            if file.image.folder is not None:
                folder = file.image.folder.absolute()
                folders.update(dict.fromkeys((folder, *list(folder.parents)[:3])))
        return cls(loaded, SourceFinder(sources, tuple(folders)))

    def with_linked(self, linked: Linked) -> "SymbolTable":
        """Return a table that answers at an address without a symbol as it does where ``linked`` finds it."""
        return SymbolTable(self._files, self._sources, linked)

    def at(self, address: VirtualAddress) -> SymbolAt | None:
        """The symbol that covers ``address``, a function rather than a label or an object."""
        found = self._at(address)
        linked = self._linked.find(address) if found is None and self._linked is not None else None
        return found if linked is None else self._at(linked)

    def places_of(self, address: VirtualAddress) -> list[VirtualAddress]:
        """``address``, and where else the code ran that is linked there."""
        return [address, *(() if self._linked is None else self._linked.places(address))]

    def _at(self, address: VirtualAddress) -> SymbolAt | None:
        with self._lock:
            return next(filter(None, (file.find_symbol_at(address) for file in self._files)), None)

    def _linked_at(self, address: VirtualAddress) -> VirtualAddress:
        """Return where the files have what is at an address."""
        linked = None if self._linked is None or self._at(address) else self._linked.find(address)
        return address if linked is None else linked

    def find(self, name: str) -> Symbol | None:
        """The symbol of exactly that raw or demangled name: functions first, then globals."""
        return next(iter(self.find_all(name)), None)

    def find_all(self, name: str) -> list[Symbol]:
        """Every symbol of exactly that name, best first: static functions may share one."""
        with self._lock:
            return [symbol for file in self._files for symbol in file.find_symbols(name)]

    def nearest(self, name: str) -> list[str]:
        """At most five known names that look like ``name``, nearest first, for "did you mean"."""
        with self._lock:
            names = {known for file in self._files for known in file.symbols.names()}
        within = sorted(known for known in names if name in known)[:_HOW_MANY_NEAR]
        close = difflib.get_close_matches(name, _of_similar_length(names, name), _HOW_MANY_NEAR)
        return list(dict.fromkeys((*close, *within)))[:_HOW_MANY_NEAR]

    def functions(self) -> list[Symbol]:
        """Every function symbol, file by file, by address."""
        with self._lock:
            return [symbol for file in self._files for symbol in file.functions()]

    def objects(self) -> list[Symbol]:
        """Every data object, file by file, by address."""
        with self._lock:
            return [symbol for file in self._files for symbol in file.objects()]

    def line_at(self, address: VirtualAddress) -> SourceLine | None:
        """The source line of the instruction at ``address``; the innermost one where calls were inlined."""
        address = self._linked_at(address)
        with self._lock:
            return next(filter(None, (file.find_line(address) for file in self._files)), None)

    def lines_of(self, file: str, line: int) -> list[VirtualAddress]:
        """Where the code of a source line begins, ascending; ``file`` is a path or its last components."""
        with self._lock:
            return sorted({found for loaded in self._files for found in loaded.find_addresses(file, line)})

    def inlined_at(self, address: VirtualAddress) -> tuple[InlinedCall, ...]:
        """The inlined calls that ``address`` lies in, innermost first, without the function itself."""
        address = self._linked_at(address)
        with self._lock:
            return next(filter(None, (file.find_inlined(address) for file in self._files)), ())

    def unwind_row(self, address: VirtualAddress) -> UnwindRow | None:
        """How to find the caller's registers when pc is ``address``; None where no file tells.

        For a caller's frame ask with the return address minus 1, unless the row called is a signal frame.
        """
        address = self._linked_at(address)
        with self._lock:
            return next(filter(None, (file.find_unwind_row(address) for file in self._files)), None)

    def source(self, file: str) -> tuple[str, ...] | None:
        """The lines of a source file named as SourceLine names it, None where it is not to be had."""
        return self._sources.find(file)

    def source_files(self, addresses: npt.NDArray[np.uint64] | None = None) -> list[str]:
        """The source files of the line tables, sorted; of the code at ``addresses`` only, where given."""
        with self._lock:
            found: set[str] = set()
            for file in self._files:
                if addresses is None:
                    found.update(file.lines.files())
                else:
                    found.update(file.lines.files_of(addresses - np.uint64(file.bias % 2**64)))
        return sorted(found)

    @property
    def build_ids(self) -> tuple[str | None, ...]:
        """The GNU build id of each file in hexadecimal digits, in the order of ``load``."""
        return tuple(file.image.build_id for file in self._files)

    @property
    def build_id(self) -> str | None:
        """The build id of the first file."""
        return next(iter(self.build_ids), None)

    def load_segments(self) -> list[LoadSegment]:
        """The PT_LOAD segments of all files, for comparison with the guest's memory.

        Virtual addresses have the load bias added. A file made by ``debug_only`` has no contents left.
        """
        return [segment for file in self._files for segment in file.load_segments()]

    def contents(self, start: VirtualAddress, size: int) -> frozenset[Content]:
        """What the sections that reach into ``size`` bytes from ``start`` on are loaded as."""
        return frozenset(found for file in self._files for found in file.iter_contents(start, size))


def _as_symbol_file(file: Path | bytes | SymbolFile) -> SymbolFile:
    return file if isinstance(file, SymbolFile) else SymbolFile(file)


def _of_similar_length(names: Iterable[str], name: str) -> list[str]:
    # difflib compares letter by letter: a kernel's 150,000 names would take a minute.
    first = set(name.lower()[:2])
    alike = [known for known in names if abs(len(known) - len(name)) <= 3 and first & set(known.lower()[:2])]
    return sorted(alike, key=lambda known: (abs(len(known) - len(name)), known))[:_MOST_COMPARED]
