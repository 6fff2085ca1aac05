"""What a trace carries besides what ran: symbols of the guest, and sources of the code that ran."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracedbg.errors import SymbolError
from tracedbg.format.writer import TraceWriter
from tracedbg.symbols.attachment import debug_only
from tracedbg.symbols.loaded_file import SymbolFile
from tracedbg.symbols.table import SymbolTable

ELF_TYPE = "application/x-elf"
SOURCE_TYPE = "text/plain"
SOURCE_FOLDER = "source/"
UNASKED_LIMIT = 64 << 20
"""Bytes of symbols and debug sections that are taken from a file that only QEMU's command line names."""
SOURCE_LIMIT = 1 << 20
SOURCES_LIMIT = 16 << 20
_SOURCE_SECONDS = 1.0
_PART = 1 << 14


@dataclass(frozen=True)
class CarriedFile:
    """An ELF file under the name it was given by; ``asked`` when it was named with ``--symbols``."""

    name: str
    path: Path
    asked: bool


class Carried:
    """Attaches files to a trace. What cannot be taken is left out, with a sentence in ``warnings``."""

    def __init__(self, files: Sequence[CarriedFile], cwd: Path) -> None:
        self.warnings: list[str] = []
        self._files: Sequence[CarriedFile] = files
        self._cwd = cwd
        self._good: list[SymbolFile] = []

    def attach_symbols(self, writer: TraceWriter) -> None:
        """Attach the symbols and debug sections of each file; nothing when that has been done."""
        files, self._files = self._files, ()
        for file in files:
            try:
                content = self._read(file)
                SymbolTable.load([content])
            except (SymbolError, OSError) as error:
                self.warnings.append(f"{file.name}: left out of the trace: {_reason(error)}")
                continue
            if len(content) > UNASKED_LIMIT and not file.asked:
                self.warnings.append(
                    f"{file.name}: its {len(content) >> 20} MiB of debug sections are left out of the trace;"
                    f" --symbols {file.name} takes them in"
                )
                continue
            self._good.append(SymbolFile(file.path, name=file.name))
            writer.attach(file.name, ELF_TYPE, content, compress=True)

    def attach_sources(self, writer: TraceWriter, addresses: NDArray[np.uint64]) -> None:
        """Attach the source files of the code at ``addresses``, as far as the limits allow."""
        if not self._good or not len(addresses):
            return
        try:
            table = SymbolTable.load(self._good, source_folders=[self._cwd])
            self._attach_found(writer, table, addresses)
        except (SymbolError, OSError) as error:
            self.warnings.append(f"sources are left out of the trace: {_reason(error)}")

    def _attach_found(self, writer: TraceWriter, table: SymbolTable, addresses: NDArray[np.uint64]) -> None:
        room = SOURCES_LIMIT
        for path in _iter_sources(table, addresses):
            lines = table.source(path)
            content = b"" if lines is None else "".join(f"{line}\n" for line in lines).encode()
            if content and len(content) <= min(SOURCE_LIMIT, room):
                room -= len(content)
                writer.attach(SOURCE_FOLDER + path, SOURCE_TYPE, content, compress=True)

    def _read(self, file: CarriedFile) -> bytes:
        return debug_only(file.path)


def _iter_sources(table: SymbolTable, addresses: NDArray[np.uint64]) -> Iterator[str]:
    """Yield each source file once; line tables of large kernels are long, so only for about a second."""
    deadline = time.monotonic() + _SOURCE_SECONDS
    known: set[str] = set()
    ordered = np.unique(addresses)
    for start in range(0, len(ordered), _PART):
        found = set(table.source_files(ordered[start : start + _PART])) - known
        yield from sorted(found)
        known |= found
        if time.monotonic() > deadline:
            return


def _reason(error: SymbolError | OSError) -> str:
    return error.problem if isinstance(error, SymbolError) else str(error.strerror)
