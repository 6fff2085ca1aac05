"""An ELF file's sections, segments and build id; the one place that meets pyelftools and its errors."""

import io
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from elftools.common.exceptions import DWARFError, ELFError
from elftools.construct import ConstructError
from elftools.elf.elffile import ELFFile

from tracedbg.errors import SymbolError
from tracedbg.symbols.reader import SectionData

WRITABLE = 1
ALLOCATED = 2
EXECUTABLE = 4
COMPRESSED = 0x800
# What zlib can reach at most: a declared size beyond it is a lie.
_ZLIB_RATIO = 1040
_FOREIGN = (
    ELFError, DWARFError, ConstructError, struct.error, AssertionError, AttributeError, KeyError,
    IndexError, ValueError, TypeError, OverflowError, RecursionError, MemoryError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Section:
    """A section header; ``offset`` and ``size`` in bytes of the file."""

    index: int
    name: str
    type: str
    flags: int
    address: int
    offset: int
    size: int
    link: int

    @property
    def allocated(self) -> bool:
        """Whether the section takes room in the guest's memory."""
        return bool(self.flags & ALLOCATED)


@dataclass(frozen=True, slots=True)
class Segment:
    """A program header; sizes in bytes."""

    type: str
    offset: int
    virtual_address: int
    physical_address: int
    file_size: int
    memory_size: int


@dataclass(frozen=True, slots=True)
class Headers:
    """What the ELF header and its two tables say."""

    is_64bit: bool
    machine: str
    type: str
    sections: tuple[Section, ...]
    segments: tuple[Segment, ...]


class ElfImage:
    """A little-endian, linked ELF file, given as a path or as its bytes.

    Only headers are read at open; sections are read when asked for. Raises SymbolError, which names the
    file, for whatever is malformed, and OSError never.
    """

    def __init__(self, source: Path | bytes, name: str | None = None) -> None:
        self.path = name or (str(source) if isinstance(source, Path) else "<ELF>")
        self._source = source
        self._cache: dict[str, SectionData] = {}
        with self._opened() as stream:
            self.size = stream.seek(0, io.SEEK_END)
            self.headers = _read_headers(stream, self.path)
        self._check_kind()
        self._by_name = {section.name: section for section in reversed(self.headers.sections)}

    @property
    def folder(self) -> Path | None:
        """The folder that the file lies in, None for bytes."""
        return self._source.parent if isinstance(self._source, Path) else None

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        if isinstance(self._source, bytes):
            yield io.BytesIO(self._source)
            return
        try:
            with self._source.open("rb") as stream:
                yield stream
        except OSError as error:
            raise SymbolError(self.path, f"cannot be read: {error.strerror}") from error

    def _check_kind(self) -> None:
        if self.headers.type == "ET_REL":
            raise SymbolError(self.path, "is an object file that is not linked: give the linked kernel")

    def read(self, offset: int, size: int, what: str) -> bytes:
        """``size`` bytes at ``offset`` of the file; ``what`` names them in the error."""
        if offset + size > self.size:
            raise SymbolError(self.path, f"{what} reaches beyond the end of the file")
        with self._opened() as stream:
            stream.seek(offset)
            data = stream.read(size)
        if len(data) != size:
            raise SymbolError(self.path, "has become shorter since it was opened")
        return data

    def find_section(self, name: str) -> Section | None:
        """The first section of that name."""
        return self._by_name.get(name)

    def section_data(self, name: str) -> SectionData:
        """A section's bytes, uncompressed and kept; empty when the file has no such section."""
        data = self._cache.get(name)
        if data is None:
            section = self.find_section(name)
            contents = b"" if section is None else self.contents(section)
            address = 0 if section is None else section.address
            data = self._cache[name] = SectionData(self.path, name, contents, address)
        return data

    def contents(self, section: Section) -> bytes:
        """The uncompressed bytes of a section; none for NOBITS."""
        if section.type in ("SHT_NOBITS", "SHT_NULL"):
            return b""
        data = self.read(section.offset, section.size, f"section {section.name}")
        return self._uncompressed(section, data) if section.flags & COMPRESSED else data

    def _uncompressed(self, section: Section, data: bytes) -> bytes:
        layout = struct.Struct("<IIQQ" if self.headers.is_64bit else "<III")
        if len(data) < layout.size:
            raise SymbolError(self.path, f"section {section.name}: its compression header is cut short")
        fields = layout.unpack_from(data)
        kind, size = fields[0], fields[2] if self.headers.is_64bit else fields[1]
        problem = f"section {section.name}: "
        if kind != 1:
            raise SymbolError(self.path, f"{problem}compressed by method {kind}, only zlib (1) is read")
        if size > _ZLIB_RATIO * len(data):
            raise SymbolError(self.path, f"{problem}says that it holds {size} bytes, which it cannot")
        try:
            plain = zlib.decompressobj().decompress(data[layout.size :], size + 1)
        except zlib.error as error:
            raise SymbolError(self.path, f"{problem}{error}") from error
        if len(plain) != size:
            raise SymbolError(self.path, f"{problem}uncompresses to another size than {size}")
        return plain

    @property
    def build_id(self) -> str | None:
        """The GNU build id in hexadecimal digits, None when the linker wrote none."""
        for section in self.headers.sections:
            if section.type == "SHT_NOTE":
                found = _build_id(self.contents(section))
                if found is not None:
                    return found
        for segment in self.headers.segments:
            if segment.type == "PT_NOTE" and segment.file_size:
                found = _build_id(self.read(segment.offset, segment.file_size, "a PT_NOTE segment"))
                if found is not None:
                    return found
        return None


def _read_headers(stream: IO[bytes], path: str) -> Headers:
    stream.seek(0)
    if stream.read(4) != b"\x7fELF":
        raise SymbolError(path, "is not an ELF file")
    try:
        elf = ELFFile(stream)
        if not elf.little_endian:
            raise SymbolError(path, "is a big-endian ELF file, which tracedbg does not read")
        return Headers(
            is_64bit=elf.elfclass == 64,
            machine=str(elf["e_machine"]),
            type=str(elf["e_type"]),
            sections=tuple(_sections(elf)),
            segments=tuple(_segments(elf)),
        )
    except _FOREIGN as error:
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise SymbolError(path, f"its ELF headers are malformed: {detail}") from error


def _sections(elf: ELFFile) -> Iterator[Section]:
    for index, section in enumerate(elf.iter_sections()):
        header = section.header
        yield Section(
            index, section.name, str(header["sh_type"]), header["sh_flags"], header["sh_addr"],
            header["sh_offset"], header["sh_size"], header["sh_link"],
        )  # fmt: skip


def _segments(elf: ELFFile) -> Iterator[Segment]:
    for segment in elf.iter_segments():
        header = segment.header
        yield Segment(
            str(header["p_type"]), header["p_offset"], header["p_vaddr"], header["p_paddr"],
            header["p_filesz"], header["p_memsz"],
        )  # fmt: skip


def _build_id(notes: bytes) -> str | None:
    offset = 0
    while offset + 12 <= len(notes):
        name_size, size, kind = struct.unpack_from("<III", notes, offset)
        name_end = offset + 12 + name_size
        start = (name_end + 3) & ~3
        if kind == 3 and notes[offset + 12 : name_end] == b"GNU\0" and start + size <= len(notes):
            return notes[start : start + size].hex()
        offset = (start + size + 3) & ~3
    return None
