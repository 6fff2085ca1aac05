"""A smaller ELF file that keeps names, lines and unwind rules: what a trace carries with it.

Like ``objcopy --only-keep-debug``: every section keeps its number and address, those whose contents are
not needed become SHT_NOBITS (System V gABI, "Sections").
"""

import struct
from pathlib import Path

from tracedbg.errors import SymbolError
from tracedbg.symbols.dwarf_units import DwarfUnits
from tracedbg.symbols.image import ElfImage, Section
from tracedbg.symbols.line_table import LineTable
from tracedbg.symbols.unit_index import UnitIndex

_NOBITS = 8
_ALIGNMENT = 8


class _Layout:
    """Where the fields lie that are rewritten, in 64-bit and 32-bit files."""

    def __init__(self, is_64bit: bool) -> None:
        self.header_size = 64 if is_64bit else 52
        self.segment_size, self.section_size = (56, 64) if is_64bit else (32, 40)
        self.word = "<Q" if is_64bit else "<I"
        self.segment_table, self.section_table = (32, 40) if is_64bit else (28, 32)
        self.segment_count = 56 if is_64bit else 44
        self.segment_offset, self.segment_file_size = (8, 32) if is_64bit else (4, 16)
        self.section_offset = 24 if is_64bit else 16


def debug_only(elf: Path | bytes) -> bytes:
    """The file without code and data: symbols, debug sections, .eh_frame, build id and all headers.

    The answer is an ELF file of its own, without the segments' contents. Raises SymbolError.
    """
    image = ElfImage(elf)
    layout = _Layout(image.headers.is_64bit)
    head = bytearray(image.read(0, layout.header_size, "the ELF header"))
    segments = _segment_table(image, layout, head)
    kept = _kept_sections(image)
    bodies = bytearray()
    table = _section_table(image, layout, head)
    origin = _aligned(len(head) + len(segments))
    for section in image.headers.sections:
        entry = section.index * layout.section_size
        offset = origin + len(bodies)
        if section.index in kept:
            bodies += image.read(section.offset, section.size, f"section {section.name}")
            bodies += bytes(_aligned(len(bodies)) - len(bodies))
        elif section.type not in ("SHT_NULL", "SHT_NOBITS"):
            struct.pack_into("<I", table, entry + 4, _NOBITS)
        if section.type != "SHT_NULL":
            struct.pack_into(layout.word, table, entry + layout.section_offset, offset)
    struct.pack_into(layout.word, head, layout.segment_table, len(head) if segments else 0)
    struct.pack_into(layout.word, head, layout.section_table, origin + len(bodies) if table else 0)
    padding = bytes(origin - len(head) - len(segments))
    return bytes(head) + segments + padding + bytes(bodies) + bytes(table)


def without_segments(elf: bytes) -> bytes:
    """The same file with no program headers, which gdb holds the sections against. Raises SymbolError.

    Those of ``debug_only`` have no contents, while some of the sections do: gdb warns of each.
    """
    layout = _Layout(ElfImage(elf).headers.is_64bit)
    rewritten = bytearray(elf)
    struct.pack_into(layout.word, rewritten, layout.segment_table, 0)
    struct.pack_into("<H", rewritten, layout.segment_count, 0)
    return bytes(rewritten)


def source_files(elf: Path | bytes) -> list[str]:
    """Every source file that the line tables name, sorted; full paths as the compiler gave them."""
    units = DwarfUnits(ElfImage(elf))
    return LineTable(units, UnitIndex(units)).files()


def _aligned(size: int) -> int:
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _segment_table(image: ElfImage, layout: _Layout, head: bytearray) -> bytes:
    count = len(image.headers.segments)
    if not count:
        return b""
    (offset,) = struct.unpack_from(layout.word, head, layout.segment_table)
    table = bytearray(image.read(offset, count * layout.segment_size, "the program header table"))
    for entry in range(0, len(table), layout.segment_size):
        struct.pack_into(layout.word, table, entry + layout.segment_offset, 0)
        struct.pack_into(layout.word, table, entry + layout.segment_file_size, 0)
    return bytes(table)


def _section_table(image: ElfImage, layout: _Layout, head: bytearray) -> bytearray:
    count = len(image.headers.sections)
    if not count:
        raise SymbolError(image.path, "has no section headers, so no symbols either")
    (offset,) = struct.unpack_from(layout.word, head, layout.section_table)
    return bytearray(image.read(offset, count * layout.section_size, "the section header table"))


def _kept_sections(image: ElfImage) -> set[int]:
    """The numbers of the sections whose contents stay."""
    sections = image.headers.sections
    has_symbols = image.find_section(".symtab") is not None
    kept = {section.index for section in sections if _is_kept(section, has_symbols)}
    kept |= {sections[index].link for index in kept if sections[index].link < len(sections)}
    return kept - {0}


def _is_kept(section: Section, has_symbols: bool) -> bool:
    if section.type == "SHT_NOBITS":
        return False
    if section.type == "SHT_SYMTAB" or (section.type == "SHT_DYNSYM" and not has_symbols):
        return True
    if section.name == ".note.gnu.build-id" or section.name in (".shstrtab", ".eh_frame"):
        return True
    return section.name.startswith(".debug_")
