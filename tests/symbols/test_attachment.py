"""The smaller file that a trace carries answers as the whole one does."""

from pathlib import Path

import pytest

from tests.symbols.oracles import PREFIX, instruction_addresses, read_symbols, run
from tracedbg.errors import SymbolError
from tracedbg.ids import VirtualAddress
from tracedbg.symbols import SymbolTable, debug_only, source_files

pytestmark = pytest.mark.slow


def test_every_answer_is_that_of_the_whole_file(guest: Path) -> None:
    whole, small = SymbolTable.load([guest]), SymbolTable.load([debug_only(guest)])
    for address in map(VirtualAddress, instruction_addresses(guest)):
        assert small.at(address) == whole.at(address)
        assert small.line_at(address) == whole.line_at(address)
        assert small.inlined_at(address) == whole.inlined_at(address)
        assert small.unwind_row(address) == whole.unwind_row(address)
    assert small.build_id == whole.build_id
    assert small.source_files() == whole.source_files()


def test_code_and_data_are_gone_and_segments_stay_in_place(guest: Path) -> None:
    whole = SymbolTable.load([guest]).load_segments()
    small = SymbolTable.load([debug_only(guest)]).load_segments()
    assert [part[:2] for part in small] == [part[:2] for part in whole]
    assert b"".join(part.data for part in small) == b""


def test_code_is_not_in_the_file(plain_guest: Path) -> None:
    (segment, *_) = SymbolTable.load([plain_guest]).load_segments()
    assert len(segment.data) > 256
    assert segment.data[-256:] not in debug_only(plain_guest)


def test_binutils_reads_it_without_complaint(guest: Path, tmp_path: Path) -> None:
    small = tmp_path / "small.elf"
    small.write_bytes(debug_only(guest))
    assert read_symbols(small) == read_symbols(guest)
    for option in ("--debug-dump=info", "--debug-dump=decodedline", "--debug-dump=frames"):
        assert run(f"{PREFIX}readelf", option, small) == run(f"{PREFIX}readelf", option, guest)
    sections = run(f"{PREFIX}readelf", "-WS", small)
    assert "] .text             NOBITS " in sections


def test_making_it_twice_changes_nothing(plain_guest: Path) -> None:
    once = debug_only(plain_guest)
    assert debug_only(once) == once


def test_stripped_file_keeps_its_dynamic_symbols(uboot: Path) -> None:
    small = debug_only(uboot)
    assert len(small) < 20_000
    found, wanted = SymbolTable.load([small]).functions(), SymbolTable.load([uboot]).functions()
    assert [(symbol.name, symbol.address) for symbol in found] == [
        (symbol.name, symbol.address) for symbol in wanted
    ]


def test_file_without_section_headers_is_refused(plain_guest: Path) -> None:
    data = bytearray(plain_guest.read_bytes())
    data[40:48] = bytes(8)
    data[60:64] = bytes(4)
    with pytest.raises(SymbolError) as error:
        debug_only(bytes(data))
    assert str(error.value) == "<ELF>: has no section headers, so no symbols either"


def test_source_files_are_listed_from_bytes_as_from_a_path(plain_guest: Path) -> None:
    assert source_files(plain_guest.read_bytes()) == source_files(plain_guest)
    assert "/kernel/main.c" in source_files(plain_guest)
