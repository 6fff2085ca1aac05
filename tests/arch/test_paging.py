"""Page-table walks, and the search for the pages of a frame, hold each other equal."""

from random import Random

import pytest

from tracedbg.arch import AddressSpace, Walk, architecture
from tracedbg.ids import PhysicalAddress, VirtualAddress

ARCH = architecture("riscv64")
V, R, W, X, U, A, D = 1, 2, 4, 8, 16, 64, 128
NAPOT = 1 << 63
LEVELS = {"sv39": 3, "sv48": 4, "sv57": 5}
MODES = {"sv39": 8, "sv48": 9, "sv57": 10}


class Tables:
    """Page tables in a memory of their own, filled entry by entry."""

    def __init__(self, mode: str) -> None:
        self.levels = LEVELS[mode]
        self.memory: dict[int, int] = {}
        self.next_table = 0x8000_1000
        self.space: AddressSpace = ARCH.address_space_of(MODES[mode] << 60 | 0x8000_0000 >> 12)

    def put(self, virtual: int, physical: int, flags: int, level: int = 0) -> None:
        table = 0x8000_0000
        for depth in reversed(range(level + 1, self.levels)):
            place = table + 8 * (virtual >> (12 + 9 * depth) & 511)
            if not self.memory.get(place):
                self.memory[place] = self.next_table >> 12 << 10 | V
                self.next_table += 4096
            table = self.memory[place] >> 10 << 12
        self.memory[table + 8 * (virtual >> (12 + 9 * level) & 511)] = physical >> 12 << 10 | flags

    def word(self, address: PhysicalAddress) -> int:
        return self.memory.get(address, 0)

    def page(self, address: PhysicalAddress) -> bytes:
        return b"".join(self.memory.get(address + 8 * i, 0).to_bytes(8, "little") for i in range(512))

    def walk(self, virtual: int) -> Walk:
        return ARCH.walk(self.space, VirtualAddress(virtual), self.word)


@pytest.mark.parametrize("mode", LEVELS)
@pytest.mark.parametrize("seed", range(8))
def test_every_mapping_is_found_and_walks_to_its_frame(mode: str, seed: int) -> None:
    random = Random(seed)
    tables = Tables(mode)
    half = 1 << (9 * LEVELS[mode] + 11)
    frames = [0x9000_0000 + 4096 * random.randrange(8) for _ in range(4)]
    wanted = {random.randrange(half // 4096 - 512) * 4096 for _ in range(30)}
    for virtual in wanted:
        tables.put(virtual, random.choice(frames), V | R | A)
    seen = set()
    tables.put(half - (2 << 20), 0x9000_0000, V | R | W | A | D, level=1)
    for frame in frames:
        found = list(ARCH.iter_mappings(tables.space, tables.page, (PhysicalAddress(frame), 4096)))
        assert [page.virtual for page in found] == sorted(page.virtual for page in found)
        for page in found:
            walk = tables.walk(page.virtual)
            assert (walk.physical, walk.page_size, walk.flags) == (page.physical, page.size, page.flags)
            assert page.physical <= frame < page.physical + page.size
            seen.add(page.virtual)
    assert seen == wanted | {half - (2 << 20)}


def test_a_walk_shows_each_level() -> None:
    tables = Tables("sv39")
    tables.put(0x4000_1000, 0x8765_4000, V | R | W | U | A | D)
    walk = tables.walk(0x4000_1234)
    assert walk.physical == 0x8765_4234
    assert [(level.level, level.address) for level in walk.levels] == [
        (2, 0x8000_0008), (1, 0x8000_1000), (0, 0x8000_2008),
    ]  # fmt: skip
    assert walk.flags == ("V", "R", "W", "U", "A", "D")


def test_high_addresses_are_sign_extended() -> None:
    tables = Tables("sv39")
    tables.put(0x7F_FFFF_F000, 0x9000_0000, V | R)
    assert tables.walk(0xFFFF_FFFF_FFFF_F008).physical == 0x9000_0008
    found = list(ARCH.iter_mappings(tables.space, tables.page, (PhysicalAddress(0x9000_0000), 4096)))
    assert [page.virtual for page in found] == [0xFFFF_FFFF_FFFF_F000]
    assert tables.walk(0x7F_FFFF_F000).problem == "0x7ffffff000 is no address of sv39"


@pytest.mark.parametrize(
    ("physical", "flags", "level", "problem"),
    [
        (0x9000_0000, 0, 0, "the level 0 entry at 0x80002000 is not valid"),
        (0x9000_0000, V, 0, "the level 0 entry at 0x80002000 is no leaf"),
        (0x9000_0000, V | W, 0, "the level 0 entry at 0x80002000 has a reserved encoding"),
        (0x9000_0000, V | R | 1 << 54, 0, "the level 0 entry at 0x80002000 has a reserved encoding"),
        (0x9000_1000, V | R, 1, "the level 1 entry at 0x80001000 is a misaligned superpage"),
        (0x9000_0000, V | D, 1, "the level 1 entry at 0x80001000 is a pointer with bits of a leaf"),
        (0x9000_0000, V | R | NAPOT, 0, "the level 0 entry at 0x80002000 has a reserved size"),
    ],
)
def test_what_keeps_an_address_from_being_translated_is_named(
    physical: int, flags: int, level: int, problem: str
) -> None:
    tables = Tables("sv39")
    tables.put(0x4000_0000, physical, flags, level)
    walk = tables.walk(0x4000_0000)
    assert walk.physical is None
    assert walk.problem == problem


def test_an_entry_that_is_not_known_ends_the_walk() -> None:
    space = ARCH.address_space_of(8 << 60 | 0x80000)
    walk = ARCH.walk(space, VirtualAddress(0), lambda _: None)
    assert walk.problem == "the level 2 entry at 0x80000000 is not known"
    assert walk.levels[0].value is None


def test_a_naturally_aligned_group_of_sixteen_pages() -> None:
    tables = Tables("sv39")
    for page in range(16):
        tables.put(0x4001_0000 + 4096 * page, 0x9001_8000, V | R | NAPOT)
    assert tables.walk(0x4001_3004).physical == 0x9001_3004
    found = list(ARCH.iter_mappings(tables.space, tables.page, (PhysicalAddress(0x9001_3000), 4096)))
    assert (0x4001_3000, 0x9001_3000) in [(page.virtual, page.physical) for page in found]


def test_tables_that_point_at_each_other_are_given_up() -> None:
    root = 0x8000_0000
    entries = ((root >> 12 << 10) | V).to_bytes(8, "little") * 512
    space = ARCH.address_space_of(10 << 60 | root >> 12)
    assert list(ARCH.iter_mappings(space, lambda _: entries, (PhysicalAddress(root), 4096))) == []
