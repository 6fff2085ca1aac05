"""A file that is broken in one place ends in SymbolError or in an answer, and in nothing else."""

import struct
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tracedbg.errors import SymbolError
from tracedbg.ids import VirtualAddress
from tracedbg.symbols import SymbolTable, debug_only, source_files

pytestmark = pytest.mark.slow
Answer = TypeVar("Answer")
ADDRESSES = [VirtualAddress(address) for address in range(0x80200000, 0x80200160, 14)]


@pytest.fixture(scope="module")
def images(built: dict[str, Path]) -> list[bytes]:
    return [built[name].read_bytes() for name in ("O2-dwarf4", "O2-dwarf5", "O2-eh-frame", "Os-zlib")]


def ask_everything(data: bytes) -> None:
    """Every question on the file; SymbolError is a fine answer to each."""
    table = _tolerant(lambda: SymbolTable.load([data]))
    if not isinstance(table, SymbolTable):
        assert table.startswith("<ELF>: ")
        return
    for address in ADDRESSES:
        for ask in (table.at, table.line_at, table.inlined_at, table.unwind_row):
            _tolerant(partial(ask, address))
    _tolerant(table.load_segments)
    _tolerant(table.functions)
    _tolerant(table.source_files)
    _tolerant(lambda: table.build_id)
    _tolerant(lambda: table.find("main"))
    _tolerant(lambda: table.nearest("mian"))
    _tolerant(lambda: table.lines_of("main.c", 9))
    _tolerant(lambda: debug_only(data))
    _tolerant(lambda: source_files(data))


def _tolerant(ask: Callable[[], Answer]) -> Answer | str:
    """The answer, or the text of the one error that is allowed."""
    try:
        return ask()
    except SymbolError as error:
        return str(error)


def test_file_cut_anywhere_is_refused_or_answers(images: list[bytes]) -> None:
    for image in images:
        for size in (*range(200), *range(200, len(image), 131)):
            ask_everything(image[:size])


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_bytes_changed_anywhere_are_refused_or_answer(images: list[bytes], data: st.DataObject) -> None:
    image = bytearray(data.draw(st.sampled_from(images)))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(image) - 1))
        image[position] = data.draw(st.one_of(st.integers(0, 255), st.sampled_from([0, 0x7F, 0x80, 0xFF])))
    ask_everything(bytes(image))


def _section(path: Path, name: str) -> tuple[int, int]:
    """(file offset, offset of its header) of a section, by a reader of the test's own."""
    data = path.read_bytes()
    table, count, names = struct.unpack_from("<Q", data, 40)[0], *struct.unpack_from("<HH", data, 60)
    strings = struct.unpack_from("<Q", data, table + names * 64 + 24)[0]
    for index in range(count):
        header = table + index * 64
        start = strings + struct.unpack_from("<I", data, header)[0]
        if data[start : data.index(b"\0", start)].decode() == name:
            return struct.unpack_from("<Q", data, header + 24)[0], header
    raise AssertionError(name)


def _changed(path: Path, offset: int, new: bytes) -> bytes:
    data = bytearray(path.read_bytes())
    data[offset : offset + len(new)] = new
    return bytes(data)


def test_what_is_no_elf_file_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "kernel"
    path.write_text("#!/bin/sh\n")
    with pytest.raises(SymbolError) as error:
        SymbolTable.load([path])
    assert str(error.value) == f"{path}: is not an ELF file"


def test_file_that_is_not_there_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SymbolError) as error:
        SymbolTable.load([tmp_path / "kernel"])
    assert str(error.value) == f"{tmp_path / 'kernel'}: cannot be read: No such file or directory"


def test_object_file_is_refused_with_what_to_do(plain_guest: Path) -> None:
    with pytest.raises(SymbolError) as error:
        SymbolTable.load([_changed(plain_guest, 16, b"\1\0")])
    assert str(error.value) == "<ELF>: is an object file that is not linked: give the linked kernel"


def test_big_endian_file_is_refused(plain_guest: Path) -> None:
    with pytest.raises(SymbolError) as error:
        SymbolTable.load([_changed(plain_guest, 5, b"\2")])
    assert str(error.value).startswith("<ELF>: ")


def test_section_of_absurd_size_is_refused_when_it_is_read(plain_guest: Path) -> None:
    _, header = _section(plain_guest, ".debug_info")
    table = SymbolTable.load([_changed(plain_guest, header + 32, struct.pack("<Q", 1 << 60))])
    with pytest.raises(SymbolError) as error:
        table.line_at(ADDRESSES[8])
    assert str(error.value) == "<ELF>: section .debug_info reaches beyond the end of the file"


def test_compressed_section_of_absurd_size_is_refused(built: dict[str, Path]) -> None:
    offset, _ = _section(built["Os-zlib"], ".debug_info")
    table = SymbolTable.load([_changed(built["Os-zlib"], offset + 8, struct.pack("<Q", 1 << 40))])
    with pytest.raises(SymbolError) as error:
        table.line_at(ADDRESSES[8])
    wanted = "<ELF>: section .debug_info: says that it holds 1099511627776 bytes, which it cannot"
    assert str(error.value) == wanted


def test_unit_longer_than_its_section_is_refused(plain_guest: Path) -> None:
    offset, _ = _section(plain_guest, ".debug_info")
    table = SymbolTable.load([_changed(plain_guest, offset, struct.pack("<I", 0x7FFFFFFF))])
    with pytest.raises(SymbolError) as error:
        table.line_at(ADDRESSES[8])
    wanted = ".debug_info: offset 0x0: a unit of 2147483647 bytes reaches beyond the end of the section"
    assert str(error.value) == f"<ELF>: {wanted}"


def test_unknown_dwarf_version_is_named(plain_guest: Path) -> None:
    offset, _ = _section(plain_guest, ".debug_info")
    table = SymbolTable.load([_changed(plain_guest, offset + 4, b"\x09\0")])
    with pytest.raises(SymbolError) as error:
        table.line_at(ADDRESSES[8])
    assert str(error.value) == "<ELF>: .debug_info: offset 0x0: DWARF version 9 is not known"


def test_broken_debug_sections_leave_symbols_readable(plain_guest: Path) -> None:
    offset, _ = _section(plain_guest, ".debug_info")
    table = SymbolTable.load([_changed(plain_guest, offset + 4, b"\x09\0")])
    found = table.find("main")
    assert found is not None
    assert (found.name, found.kind, found.section) == ("main", "func", ".text")
