"""Names, places, sources and load bias, on the guest built without optimisation."""

from pathlib import Path

import numpy as np
import pytest

from tests.symbols.oracles import GUEST, build_guest, instruction_addresses
from tracedbg.errors import SymbolError
from tracedbg.ids import VirtualAddress
from tracedbg.symbols import SymbolFile, SymbolTable

pytestmark = pytest.mark.slow
BIAS = 0xFFFFFFFF_00000000


@pytest.fixture(scope="module")
def table(built: dict[str, Path]) -> SymbolTable:
    return SymbolTable.load([built["O0-dwarf5"]])


def _address(table: SymbolTable, name: str) -> VirtualAddress:
    symbol = table.find(name)
    assert symbol is not None
    return symbol.address


def test_function_is_preferred_over_a_label_inside_it(table: SymbolTable) -> None:
    found = table.at(_address(table, "inner_label"))
    assert found is not None
    assert (found.name, found.offset, found.size, found.section) == ("asm_function", 4, 14, ".text")


def test_label_without_size_reaches_to_the_next_symbol(table: SymbolTable) -> None:
    start = _address(table, "_start")
    found = table.at(VirtualAddress(start + 8))
    spin = table.at(VirtualAddress(start + 14))
    assert found is not None
    assert spin is not None
    assert (found.name, found.offset, found.size) == ("_start", 8, 0)
    assert (spin.name, spin.offset) == ("spin", 2)


def test_object_is_found_by_its_address(table: SymbolTable) -> None:
    found = table.at(VirtualAddress(_address(table, "global_counter") + 3))
    assert found is not None
    assert (found.name, found.offset, found.size, found.section) == ("global_counter", 3, 4, ".sdata")


@pytest.mark.parametrize("address", [-1, 0, 0x1000, 0x90000000, 2**64 - 1, 2**64, 2**70])
def test_address_outside_the_file_has_nothing(table: SymbolTable, address: int) -> None:
    place = VirtualAddress(address)
    answers = (table.at(place), table.line_at(place), table.inlined_at(place), table.unwind_row(place))
    assert answers == (None, None, (), None)


def test_unknown_name_gets_the_names_like_it(table: SymbolTable) -> None:
    assert table.find("use_inlin") is None
    assert table.nearest("use_inlin") == ["use_inline"]
    assert table.nearest("function") == ["asm_function", "unused_function"]


def test_find_all_lists_a_static_function_and_nothing_for_an_unknown_name(table: SymbolTable) -> None:
    assert [symbol.name for symbol in table.find_all("shared")] == ["shared"]
    assert table.find_all("no such name") == []


def test_functions_come_by_address(table: SymbolTable) -> None:
    names = [symbol.name for symbol in table.functions()]
    wanted = ["asm_function", "helper", "deep", "use_inline", "main", "shared", "far_call"]
    assert names == [*wanted, "unused_function"]


def test_line_is_found_by_file_name_path_end_and_whole_path(table: SymbolTable) -> None:
    (address,) = table.lines_of("far.c", 8)
    assert table.lines_of("sub/far.c", 8) == [address]
    assert table.lines_of("/kernel/sub/far.c", 8) == [address]
    assert table.lines_of("b/far.c", 8) == []
    found = table.line_at(address)
    assert found is not None
    assert (found.file, found.line) == ("/kernel/sub/far.c", 8)


def test_line_without_code_has_no_addresses(table: SymbolTable) -> None:
    assert table.lines_of("main.c", 1) == []
    assert table.lines_of("main.c", 100000) == []


def test_source_files_are_those_of_the_guest(table: SymbolTable) -> None:
    assert table.source_files() == [
        "/kernel/main.c",
        "/kernel/start.S",
        "/kernel/sub/../util.h",
        "/kernel/sub/far.c",
        "/kernel/util.h",
    ]


def test_source_files_of_addresses_are_those_of_their_lines(table: SymbolTable, plain_guest: Path) -> None:
    addresses = np.array(instruction_addresses(plain_guest), np.uint64)
    lines = {table.line_at(VirtualAddress(int(address))) for address in addresses}
    assert table.source_files(addresses) == sorted({line.file for line in lines if line is not None})
    main = np.array([_address(table, "main")], np.uint64)
    assert table.source_files(main) == ["/kernel/main.c"]


def test_source_is_found_under_a_folder_though_its_path_was_mapped(plain_guest: Path) -> None:
    table = SymbolTable.load([plain_guest], source_folders=[GUEST])
    lines = table.source("/kernel/sub/far.c")
    assert lines is not None
    assert lines[0] == '#include "../util.h"'
    assert lines == tuple((GUEST / "sub/far.c").read_text().splitlines())


def test_source_is_found_beside_the_elf_file(plain_guest: Path, tmp_path: Path) -> None:
    elf = tmp_path / "build" / "kernel.elf"
    elf.parent.mkdir()
    elf.write_bytes(plain_guest.read_bytes())
    (tmp_path / "main.c").write_text("one\ntwo\n")
    assert SymbolTable.load([elf]).source("/kernel/main.c") == ("one", "two")


def test_carried_source_comes_before_the_disk(plain_guest: Path) -> None:
    carried = {"/kernel/main.c": "first\n\tsecond\n\n", "/kernel/util.h": "no end of line"}
    table = SymbolTable.load([plain_guest], sources=carried, source_folders=[GUEST])
    assert table.source("/kernel/main.c") == ("first", "\tsecond", "")
    assert table.source("/kernel/util.h") == ("no end of line",)


def test_source_that_is_nowhere_or_no_regular_file_is_none(plain_guest: Path) -> None:
    table = SymbolTable.load([plain_guest.read_bytes()])
    assert table.source("/kernel/main.c") is None
    assert table.source("/dev/zero") is None


def test_load_bias_moves_every_answer(plain_guest: Path, table: SymbolTable) -> None:
    moved = SymbolTable.load([SymbolFile(plain_guest, bias=BIAS)])
    main = _address(table, "main")
    there = VirtualAddress(main + BIAS)
    assert _address(moved, "main") == there
    assert moved.at(main) is None
    assert moved.line_at(there) == table.line_at(main)
    assert moved.lines_of("main.c", 22) == [address + BIAS for address in table.lines_of("main.c", 22)]
    row, moved_row = table.unwind_row(main), moved.unwind_row(there)
    assert row is not None
    assert moved_row is not None
    assert (moved_row.start, moved_row.end) == (row.start + BIAS, row.end + BIAS)
    assert moved.load_segments()[0].virtual_address == table.load_segments()[0].virtual_address + BIAS
    assert moved.load_segments()[0].physical_address == table.load_segments()[0].physical_address
    assert moved.source_files(np.array([there], np.uint64)) == ["/kernel/main.c"]


def test_two_files_answer_each_for_its_own_addresses(plain_guest: Path, table: SymbolTable) -> None:
    both = SymbolTable.load([plain_guest, SymbolFile(plain_guest.read_bytes(), bias=BIAS, name="high")])
    main = _address(table, "main")
    assert [symbol.address for symbol in both.find_all("main")] == [main, main + BIAS]
    for address in (main, main + BIAS):
        found = both.at(VirtualAddress(address))
        assert found is not None
        assert (found.name, found.start) == ("main", address)


def test_given_name_stands_in_messages() -> None:
    with pytest.raises(SymbolError) as error:
        SymbolTable.load([SymbolFile(b"nothing", name="vmlinux (attached)")])
    assert str(error.value) == "vmlinux (attached): is not an ELF file"


def test_build_id_is_the_one_asked_of_the_linker(tmp_path: Path) -> None:
    elf = build_guest(tmp_path / "id.elf", "-Wl,--build-id=0x00112233445566778899aabbccddeeff")
    assert SymbolTable.load([elf]).build_id == "00112233445566778899aabbccddeeff"
    bare = build_guest(tmp_path / "none.elf", "-Wl,--build-id=none")
    assert SymbolTable.load([bare]).build_id is None


def test_load_segments_have_the_bytes_of_the_file(uboot: Path) -> None:
    (segment,) = SymbolTable.load([uboot]).load_segments()
    assert (segment.virtual_address, segment.physical_address) == (0x80200000, 0x80200000)
    assert segment.data == uboot.read_bytes()[0x1000 : 0x1000 + 0x9E6C0]


def test_file_without_debug_sections_has_symbols_only(uboot: Path) -> None:
    table = SymbolTable.load([uboot])
    flush = table.find("flush")
    assert flush is not None
    assert (flush.address, flush.size, flush.section) == (0x802146A6, 30, ".text_rest")
    assert table.line_at(flush.address) is None
    assert table.inlined_at(flush.address) == ()
    assert table.unwind_row(flush.address) is None
    assert table.source_files() == []
    assert table.build_id is None
