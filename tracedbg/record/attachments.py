"""What a trace carries besides the recording: symbols of the guest, and sources of the code that ran."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tracedbg.errors import SymbolError
from tracedbg.format.columns import AnyArray
from tracedbg.format.writer import TraceWriter
from tracedbg.record.limits import boot_files, is_elf
from tracedbg.record.machine import relative_word
from tracedbg.symbols import SymbolFile, SymbolTable, debug_only

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


def carried_files(symbols: Sequence[Path], argv: Sequence[str], cwd: Path) -> list[CarriedFile]:
    """Return the files to carry, each once: ``--symbols`` first, then what QEMU boots."""
    files = [CarriedFile(relative_word(str(path), cwd), path, asked=True) for path in symbols]
    files += [
        CarriedFile(relative_word(word, cwd), cwd / word, asked=False)
        for word in boot_files(argv)
        if is_elf(cwd / word)
    ]
    return list({file.path.resolve(): file for file in reversed(files)}.values())[::-1]


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


class ExecutedCode:
    """The addresses of all instructions in the block dictionary."""

    def __init__(self) -> None:
        self._parts: list[NDArray[np.uint64]] = []

    def add(self, blocks: dict[str, AnyArray]) -> None:
        """Take in the dictionary entries of an epoch."""
        sizes = blocks["instructions"].astype(np.int64)
        lengths = blocks["insn.length"].astype(np.uint64)
        ends = np.cumsum(lengths)
        before = np.append(np.zeros(1, np.uint64), ends)
        first = np.repeat(before[np.cumsum(sizes) - sizes], sizes)
        self._parts.append(np.repeat(blocks["virtual"], sizes) + (ends - lengths) - first)

    def addresses(self) -> NDArray[np.uint64]:
        """Return them, in any order."""
        return np.concatenate([np.empty(0, np.uint64), *self._parts])


def _reason(error: SymbolError | OSError) -> str:
    return error.problem if isinstance(error, SymbolError) else str(error.strerror)
