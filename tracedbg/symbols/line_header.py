"""Headers of line number programs: file names and the parameters of their opcodes (DWARF 4 and 5, 6.2.4)."""

from collections.abc import Iterator
from dataclasses import dataclass

from tracedbg.symbols.dwarf_forms import FormReader, UnitEncoding, Value
from tracedbg.symbols.image import ElfImage
from tracedbg.symbols.reader import Cursor, SectionData

_PATH, _DIRECTORY = 1, 2


@dataclass(frozen=True, slots=True)
class LineHeader:
    """A program's parameters; ``files`` are full paths, indexed as the program's file register is.

    ``start`` and ``end`` bound the opcodes in .debug_line.
    """

    section: SectionData
    start: int
    end: int
    address_size: int
    minimum_length: int
    default_is_statement: bool
    line_base: int
    line_range: int
    operand_counts: tuple[int, ...]
    files: tuple[str, ...]

    def file(self, index: int) -> str | None:
        """The path of a file register's value; None beyond the table."""
        return self.files[index] if 0 <= index < len(self.files) else None


def read_line_header(image: ElfImage, offset: int, address_size: int, compilation_folder: str) -> LineHeader:
    """The header of the program at ``offset`` in .debug_line; SymbolError when it is malformed."""
    section = image.section_data(".debug_line")
    cursor = Cursor(section, offset)
    end, offset_size = cursor.initial_length()
    cursor.end = end
    version = cursor.unsigned(2)
    if not 2 <= version <= 5:
        section.fail(offset, f"line table version {version} is not known")
    if version >= 5:
        address_size = cursor.unsigned(1)
        cursor.skip(1)
    length = cursor.unsigned(offset_size)
    start = cursor.offset + length
    if start > end:
        section.fail(offset, "the line table's header is longer than the table")
    minimum_length = cursor.unsigned(1)
    if version >= 4:
        cursor.skip(1)
    default_is_statement = cursor.unsigned(1) != 0
    line_base, line_range, opcode_base = cursor.signed(1), cursor.unsigned(1), cursor.unsigned(1)
    if line_range == 0 or opcode_base == 0:
        section.fail(offset, "a line table whose line_range or opcode_base is 0")
    counts = tuple(cursor.raw(opcode_base - 1))
    encoding = UnitEncoding(version, offset_size, address_size, 0)
    read_files = _files_5 if version >= 5 else _files_4
    files = tuple(read_files(cursor, FormReader(image, encoding, {}), compilation_folder))
    return LineHeader(
        section, start, end, address_size, minimum_length, default_is_statement, line_base, line_range,
        counts, files,
    )  # fmt: skip


def _joined(folder: str, name: str) -> str:
    return name if name.startswith("/") or not folder else f"{folder.rstrip('/')}/{name}"


def _files_4(cursor: Cursor, _forms: FormReader, compilation_folder: str) -> Iterator[str]:
    folders = [compilation_folder]
    while folder := cursor.string():
        folders.append(_joined(compilation_folder, folder))
    # Files count from 1 before DWARF 5; the place of 0 is kept so that the register is an index.
    yield ""
    while name := cursor.string():
        index = cursor.uleb()
        cursor.uleb()
        cursor.uleb()
        yield _joined(folders[index] if index < len(folders) else "", name)


def _files_5(cursor: Cursor, forms: FormReader, compilation_folder: str) -> Iterator[str]:
    folders = [_joined(compilation_folder, forms.text(entry.get(_PATH))) for entry in _entries(cursor, forms)]
    for entry in _entries(cursor, forms):
        index = entry[_DIRECTORY].number if _DIRECTORY in entry else 0
        folder = folders[index] if index < len(folders) else ""
        yield _joined(folder, forms.text(entry.get(_PATH)))


def _entries(cursor: Cursor, forms: FormReader) -> Iterator[dict[int, Value]]:
    layout = [(cursor.uleb(), cursor.uleb()) for _ in range(cursor.unsigned(1))]
    count = cursor.uleb()
    if count > cursor.end - cursor.offset:
        cursor.section.fail(cursor.offset, f"a line table that names {count} files in fewer bytes")
    for _ in range(count):
        yield {content: forms.value(cursor, form) for content, form in layout}
