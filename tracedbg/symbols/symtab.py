"""The symbol table of one ELF file as numpy columns: by address and by name."""

from functools import cached_property

import numpy as np
import numpy.typing as npt

from tracedbg.errors import SymbolError
from tracedbg.ids import VirtualAddress
from tracedbg.symbols.demangle import demangle
from tracedbg.symbols.image import ElfImage, Section
from tracedbg.symbols.model import Symbol, SymbolAt

_ENTRY_64 = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")]
)
_ENTRY_32 = np.dtype(
    [("name", "<u4"), ("value", "<u4"), ("size", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2")]
)
_KINDS = {0: "notype", 1: "object", 2: "func", 10: "func"}
_FUNCTION_KINDS = (2, 10)
_OBJECT_KINDS = (1,)
_UNDEFINED, _FIRST_RESERVED = 0, 0xFF00
Entries = npt.NDArray[np.void]
Addresses = npt.NDArray[np.uint64]


class ElfSymbols:
    """Looks symbols up in .symtab, or in .dynsym where a stripped file has only that.

    Addresses are as linked: the load bias is not known here. Raises SymbolError for a table that is
    malformed.
    """

    def __init__(self, image: ElfImage) -> None:
        self._image = image

    @cached_property
    def _table(self) -> tuple[Entries, bytes]:
        image = self._image
        for name in (".symtab", ".dynsym"):
            section = image.find_section(name)
            if section is not None and section.type != "SHT_NOBITS" and section.size:
                return self._entries(section), self._strings(section)
        return np.zeros(0, _ENTRY_64), b"\0"

    def _entries(self, section: Section) -> Entries:
        layout = _ENTRY_64 if self._image.headers.is_64bit else _ENTRY_32
        data = self._image.section_data(section.name).data
        if len(data) % layout.itemsize:
            raise SymbolError(self._image.path, f"section {section.name}: holds no whole number of symbols")
        entries = np.frombuffer(data, layout)
        kind = entries["info"] & 15
        named = (entries["name"] != 0) & (entries["section"] != _UNDEFINED) & np.isin(kind, list(_KINDS))
        kept: Entries = entries[named]
        return kept

    def _strings(self, section: Section) -> bytes:
        sections = self._image.headers.sections
        if section.link >= len(sections):
            raise SymbolError(self._image.path, f"section {section.name}: has no string table")
        strings = self._image.contents(sections[section.link])
        entries = self._entries(section)
        if len(entries) and int(entries["name"].max()) >= len(strings):
            problem = f"section {section.name}: a name lies beyond the string table"
            raise SymbolError(self._image.path, problem)
        return strings

    def _name(self, offset: int) -> str:
        strings = self._table[1]
        end = strings.find(b"\0", offset)
        return strings[offset : end if end >= 0 else len(strings)].decode("utf-8", "backslashreplace")

    @cached_property
    def _in_memory(self) -> tuple[Entries, Addresses, Addresses]:
        """Entries in allocated sections by address, where each ends, and the largest end so far."""
        entries, strings = self._table
        low, high = self._section_bounds()
        section = entries["section"].astype(np.int64)
        known = section < len(low)
        home = np.where(known, section, 0)
        value = entries["value"].astype(np.uint64)
        inside = known & (value >= low[home]) & (value < high[home]) & ~_is_assembler_made(entries, strings)
        kept = entries[inside]
        order = np.argsort(kept["value"], kind="stable")
        kept = kept[order]
        ends = _ends(kept, high[home[inside][order]])
        return kept, ends, np.maximum.accumulate(ends)

    @cached_property
    def _starts(self) -> Addresses:
        return self._in_memory[0]["value"].astype(np.uint64)

    def _section_bounds(self) -> tuple[Addresses, Addresses]:
        sections = self._image.headers.sections
        last = np.uint64(2**64 - 1)
        low = np.array([s.address if s.allocated else last for s in sections] or [0], np.uint64)
        high = [min(s.address + s.size, 2**64 - 1) if s.allocated else 0 for s in sections]
        return low, np.array(high or [0], np.uint64)

    def find_at(self, address: int) -> SymbolAt | None:
        """The symbol that covers ``address``: functions first, then the one that starts last."""
        if not 0 <= address < 2**64:
            return None
        entries, ends, reach = self._in_memory
        index = int(np.searchsorted(self._starts, np.uint64(address), side="right")) - 1
        best: tuple[int, ...] | None = None
        while index >= 0 and reach[index] > address:
            if ends[index] > address:
                rank = self._rank(entries[index])
                best = max(best, (*rank, index)) if best is not None else (*rank, index)
            index -= 1
        return None if best is None else self._symbol_at(entries[best[-1]], address)

    def _rank(self, entry: np.void) -> tuple[int, ...]:
        """Larger is the better name: function, with a size, close, global, without underscores before it."""
        name = self._name(int(entry["name"]))
        binding = {1: 2, 2: 1}.get(int(entry["info"]) >> 4, 0)
        return (
            int((int(entry["info"]) & 15) in _FUNCTION_KINDS), int(entry["size"] != 0), int(entry["value"]),
            binding, len(name.lstrip("_")) - len(name),
        )  # fmt: skip

    def _symbol_at(self, entry: np.void, address: int) -> SymbolAt:
        name = self._name(int(entry["name"]))
        start = int(entry["value"])
        section = self._image.headers.sections[int(entry["section"])].name
        return SymbolAt(
            name, demangle(name), address - start, int(entry["size"]), section, VirtualAddress(start)
        )

    @cached_property
    def _by_name(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for index, offset in enumerate(self._table[0]["name"].tolist()):
            found.setdefault(self._name(offset), []).append(index)
        return found

    @cached_property
    def _by_demangled(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for name, indices in self._by_name.items():
            plain = demangle(name)
            if plain != name:
                found.setdefault(plain, []).extend(indices)
        return found

    def find_all(self, name: str) -> list[Symbol]:
        """Every symbol of that raw or demangled name: functions first, globals first, by address."""
        indices = self._by_name.get(name) or self._by_demangled.get(name) or []
        entries = self._table[0]

        def order(index: int) -> tuple[bool, bool, int]:
            info = int(entries[index]["info"])
            return (info & 15) not in _FUNCTION_KINDS, info >> 4 == 0, int(entries[index]["value"])

        return [self._symbol(index) for index in sorted(indices, key=order)]

    def names(self) -> list[str]:
        """Every name, raw and demangled, of symbols that are not the assembler's own."""
        return [name for name in (*self._by_name, *self._by_demangled) if not name.startswith(("$", ".L"))]

    def functions(self) -> list[Symbol]:
        """Every function symbol, by address."""
        return self._of_kinds(_FUNCTION_KINDS)

    def objects(self) -> list[Symbol]:
        """Every data object, by address."""
        return self._of_kinds(_OBJECT_KINDS)

    def _of_kinds(self, wanted: tuple[int, ...]) -> list[Symbol]:
        kinds = self._table[0]["info"] & 15
        indices = np.flatnonzero(np.isin(kinds, wanted))
        order = np.argsort(self._table[0]["value"][indices], kind="stable")
        return [self._symbol(int(index)) for index in indices[order]]

    def _symbol(self, index: int) -> Symbol:
        entry = self._table[0][index]
        name = self._name(int(entry["name"]))
        home = int(entry["section"])
        sections = self._image.headers.sections
        return Symbol(
            name=name,
            demangled=demangle(name),
            address=VirtualAddress(int(entry["value"])),
            size=int(entry["size"]),
            kind=_KINDS[int(entry["info"]) & 15],
            section=sections[home].name if home < min(len(sections), _FIRST_RESERVED) else None,
            file=self._image.path,
        )


def _is_assembler_made(entries: Entries, strings: bytes) -> npt.NDArray[np.bool_]:
    """Mapping symbols ($x, $d: RISC-V ELF psABI, "Mapping Symbol") and .L labels of the assembler."""
    letters = np.frombuffer(strings + b"\0", np.uint8)
    first, second = letters[entries["name"]], letters[entries["name"] + 1]
    local = entries["info"] >> 4 == 0
    mapping = (first == ord("$")) & np.isin(second, [ord("x"), ord("d")]) & local
    made: npt.NDArray[np.bool_] = mapping | ((first == ord(".")) & (second == ord("L")))
    return made


def _ends(entries: Entries, section_ends: Addresses) -> Addresses:
    """Where each symbol ends: at its size, or without one at the next higher symbol of its section."""
    starts = entries["value"].astype(np.uint64)
    following = np.searchsorted(starts, starts, side="right")
    padded = np.append(starts, np.uint64(2**64 - 1))
    open_ended = np.minimum(padded[following], section_ends)
    size = np.minimum(entries["size"].astype(np.uint64), np.uint64(2**64 - 1) - starts)
    return np.where(size == 0, open_ended, starts + size)
