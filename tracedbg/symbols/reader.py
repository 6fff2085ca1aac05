"""Bounded reading of the little-endian numbers and strings that ELF and DWARF are made of."""

import struct
from dataclasses import dataclass
from typing import NoReturn

from tracedbg.errors import SymbolError

_FORMATS = {1: struct.Struct("<B"), 2: struct.Struct("<H"), 4: struct.Struct("<I"), 8: struct.Struct("<Q")}


@dataclass(frozen=True, slots=True)
class SectionData:
    """The uncompressed bytes of one section, with the names that an error message needs."""

    path: str
    name: str
    data: bytes
    address: int = 0

    def __len__(self) -> int:
        return len(self.data)

    def fail(self, offset: int, problem: str) -> NoReturn:
        """Raise the SymbolError that blames ``offset`` in this section."""
        raise SymbolError(self.path, f"{self.name}: offset {offset:#x}: {problem}")

    def string_at(self, offset: int) -> str:
        """The zero-terminated string at ``offset``; bytes that are not UTF-8 are kept as escapes."""
        end = self.data.find(b"\0", offset) if 0 <= offset < len(self.data) else -1
        if end < 0:
            self.fail(offset, "no string there")
        return self.data[offset:end].decode("utf-8", "backslashreplace")


class Cursor:
    """A position in a section that moves forward and never past ``end``."""

    __slots__ = ("data", "end", "offset", "section")

    def __init__(self, section: SectionData, offset: int = 0, end: int | None = None) -> None:
        self.section = section
        self.data = section.data
        self.offset = offset
        self.end = len(section.data) if end is None else end
        if not 0 <= offset <= self.end <= len(section.data):
            section.fail(offset, "beyond the end")

    def _advance(self, count: int) -> int:
        start = self.offset
        if count < 0 or start + count > self.end:
            self.section.fail(start, f"cut short, {count} more bytes expected")
        self.offset = start + count
        return start

    def skip(self, count: int) -> None:
        """Move ``count`` bytes on."""
        self._advance(count)

    def raw(self, count: int) -> bytes:
        """The next ``count`` bytes."""
        start = self._advance(count)
        return self.data[start : start + count]

    def unsigned(self, size: int) -> int:
        """An unsigned number of ``size`` bytes."""
        start = self._advance(size)
        layout = _FORMATS.get(size)
        if layout is None:
            return int.from_bytes(self.data[start : start + size], "little")
        value: int = layout.unpack_from(self.data, start)[0]
        return value

    def signed(self, size: int) -> int:
        """A two's complement number of ``size`` bytes."""
        return int.from_bytes(self.raw(size), "little", signed=True)

    def uleb(self) -> int:
        """An unsigned LEB128 number (DWARF 5, 7.6)."""
        start = self.offset
        if start < self.end and self.data[start] < 0x80:
            self.offset = start + 1
            return self.data[start]
        return self._leb()[0]

    def sleb(self) -> int:
        """A signed LEB128 number (DWARF 5, 7.6)."""
        value, shift, last = self._leb()
        return value - (1 << shift) if last & 0x40 else value

    def _leb(self) -> tuple[int, int, int]:
        data, start, end = self.data, self.offset, self.end
        value = shift = 0
        for position in range(start, min(end, start + 19)):
            byte = data[position]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                self.offset = position + 1
                return value, shift, byte
        self.section.fail(start, "a LEB128 number that does not end")

    def string(self) -> str:
        """A zero-terminated string."""
        text = self.section.string_at(self.offset)
        end = self.section.data.find(b"\0", self.offset)
        self._advance(end + 1 - self.offset)
        return text

    def initial_length(self) -> tuple[int, int]:
        """The end offset of a unit and its offset size, 4 or 8 (DWARF 5, 7.4)."""
        start = self.offset
        length, offset_size = self.unsigned(4), 4
        if length == 0xFFFFFFFF:
            length, offset_size = self.unsigned(8), 8
        elif length >= 0xFFFFFFF0:
            self.section.fail(start, f"reserved length {length:#x}")
        if length > self.end - self.offset:
            self.section.fail(start, f"a unit of {length} bytes reaches beyond the end of the section")
        return self.offset + length, offset_size
