"""The symbols of a trace: files that a person gives, and those that the trace carries."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tracedbg.errors import SymbolError
from tracedbg.format.index import AttachmentEntry
from tracedbg.state.linked_code import LinkedCode
from tracedbg.state.symbol_check import find_mismatch
from tracedbg.store.trace import Trace
from tracedbg.symbols import SymbolFile, SymbolTable

ELF_MEDIA_TYPE = "application/x-elf"
SOURCE_MEDIA_TYPE = "text/plain"
SOURCE_FOLDER = "source/"

Given = str | Path | SymbolFile


def load_symbols(store: Trace, given: Iterable[Given]) -> tuple[SymbolTable, tuple[str, ...]]:
    """Return the symbols of a trace, the given files before those attached to it, and warnings.

    A given file that cannot be read raises SymbolError; an attached one is left out with a warning. A given
    file whose code is not what ran is used, with a warning that names both.
    """
    files = [_as_file(file) for file in given]
    warnings = [_mismatch(store, file) for file in files]
    for entry in store.attachments:
        if entry.media_type == ELF_MEDIA_TYPE:
            attached = SymbolFile(store.attachment(entry), name=f"{store.path}: {entry.name}")
            problem = find_problem(attached)
            warnings.append(problem)
            if problem is None:
                files.append(attached)
    table = SymbolTable.load(files, sources=_Sources(store))
    table = table.with_linked(LinkedCode(store, table))
    return table, tuple(warning for warning in warnings if warning is not None)


def _as_file(file: Given) -> SymbolFile:
    return file if isinstance(file, SymbolFile) else SymbolFile(Path(file))


def _mismatch(store: Trace, file: SymbolFile) -> str | None:
    name = file.name or str(file.source)
    return find_mismatch(store, name, SymbolTable.load([file]))


def find_problem(file: SymbolFile) -> str | None:
    """Return a sentence that says why a symbol file cannot be used, None for one that can."""
    try:
        SymbolTable.load([file])
    except SymbolError as error:
        return f"{error}; its symbols are left out"
    return None


class _Sources(Mapping[str, str]):
    """The texts of attached source files by path, each read when it is asked for."""

    def __init__(self, store: Trace) -> None:
        self._store = store
        self._entries: dict[str, AttachmentEntry] = {
            entry.name.removeprefix(SOURCE_FOLDER): entry
            for entry in store.attachments
            if entry.media_type == SOURCE_MEDIA_TYPE and entry.name.startswith(SOURCE_FOLDER)
        }

    def __getitem__(self, path: str) -> str:
        return self._store.attachment(self._entries[path]).decode("utf-8", "replace")

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
