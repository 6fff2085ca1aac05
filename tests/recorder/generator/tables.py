"""Address spaces of a generated guest: page tables in Sv39, Sv48 and Sv57, as words to be assembled."""

from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from random import Random

from . import layout


class Entry(IntFlag):
    """Bits of a page-table entry."""

    VALID = 1
    READ = 2
    WRITE = 4
    EXECUTE = 8
    USER = 16
    GLOBAL = 32
    ACCESSED = 64
    DIRTY = 128


class Scheme(IntEnum):
    """Paging schemes by their number in satp's MODE field."""

    SV39 = 8
    SV48 = 9
    SV57 = 10

    @property
    def levels(self) -> int:
        return int(self) - 5


WHOLE = Entry.VALID | Entry.READ | Entry.WRITE | Entry.EXECUTE | Entry.ACCESSED | Entry.DIRTY
_RESERVED = 1 << 57


@dataclass(frozen=True)
class Page:
    """A page of the data window: where its entry is and what it allows."""

    virtual: int
    physical: int
    entry: int
    entry_address: int

    def allows(self, *, user: bool, store: bool) -> bool:
        """Whether an access may be made without SUM and MXR, with hardware that sets A and D."""
        needed = Entry.VALID | (Entry.READ | Entry.WRITE if store else Entry.READ)
        wrong_form = self.entry >> 54 or (self.entry & Entry.WRITE and not self.entry & Entry.READ)
        return (
            self.entry & needed == needed
            and bool(self.entry & Entry.USER) == user
            and not wrong_form
            and layout.DATA <= self.physical < layout.DATA + layout.DATA_FRAMES * layout.PAGE
        )


@dataclass
class AddressSpace:
    scheme: Scheme
    asid: int
    root: int
    pages: list[Page] = field(default_factory=list)
    patch_entries: dict[int, int] = field(default_factory=dict)
    """The address of the entry for each virtual page of the patch slices."""

    @property
    def satp(self) -> int:
        return self.scheme << 60 | self.asid << 44 | self.root >> 12


class Tables:
    """All page-table frames of a guest, filled entry by entry."""

    def __init__(self) -> None:
        self.words: dict[int, int] = {}
        self._next = layout.TABLES

    def allocate(self) -> int:
        frame = self._next
        self._next += layout.PAGE
        if self._next > layout.TABLES + layout.TABLE_FRAMES * layout.PAGE:
            raise ValueError("more page tables than the layout has room for")
        return frame

    def map(self, space: AddressSpace, virtual: int, physical: int, bits: int, *, level: int = 0) -> int:
        """Put a leaf at ``level`` and return the physical address of its entry."""
        table = space.root
        for depth in range(space.scheme.levels - 1, level, -1):
            slot = table + (virtual >> (12 + 9 * depth) & 511) * 8
            if slot not in self.words:
                self.words[slot] = self.allocate() >> 2 | Entry.VALID
            table = self.words[slot] >> 10 << 12
        slot = table + (virtual >> (12 + 9 * level) & 511) * 8
        self.words[slot] = physical >> 12 << 10 | bits
        return slot

    def assembly(self) -> str:
        """The frames as data for the section ``.tables``, which starts at layout.TABLES."""
        lines = ['.section .tables, "aw"', ".balign 4096", "tables:"]
        position = layout.TABLES
        for address, word in sorted(self.words.items()):
            if address > position:
                lines.append(f"  .zero {address - position}")
            lines.append(f"  .dword {word:#x}")
            position = address + 8
        return "\n".join(lines) + "\n"


def build_space(tables: Tables, rng: Random, scheme: Scheme, asid: int) -> AddressSpace:
    space = AddressSpace(scheme, asid, tables.allocate())
    tables.map(space, 0, 0, WHOLE, level=2)
    tables.map(space, layout.USER_DEVICES, 0, WHOLE | Entry.USER, level=2)
    tables.map(space, layout.RAM, layout.RAM, WHOLE, level=1)
    tables.map(space, layout.SURVIVOR, layout.SURVIVOR, WHOLE & ~Entry.DIRTY, level=1)
    clean = Entry.VALID | Entry.READ | Entry.WRITE
    tables.map(space, layout.SUPERVISOR_LARGE, layout.RAM, clean, level=1)
    tables.map(space, layout.USER_LARGE, layout.LARGE_DATA, clean | Entry.USER, level=1)
    tables.map(space, layout.MISALIGNED_LARGE, layout.DATA, WHOLE, level=1)
    pointer = tables.map(space, layout.ABSENT_TABLE, layout.ABSENT, 0, level=1)
    tables.words[pointer] |= Entry.VALID
    _map_code(tables, space)
    _map_data(tables, rng, space)
    return space


def _map_code(tables: Tables, space: AddressSpace) -> None:
    """Code lies in shuffled copies of its frames; the copies are aliased for U- and S-mode."""
    fetched = Entry.VALID | Entry.READ | Entry.EXECUTE
    for index in range(layout.CODE_COPY_FRAMES):
        physical = code_copy_frame(index)
        offset = index * layout.PAGE
        tables.map(space, layout.USER_CODE + offset, physical, fetched | Entry.USER)
        tables.map(space, layout.SUPERVISOR_CODE + offset, physical, fetched)
    for index in range(layout.PATCH_ALIAS_PAGES):
        physical = layout.PATCH + index % layout.PATCH_FRAMES * layout.PAGE
        patched = fetched | Entry.WRITE
        for base, user in ((layout.USER_PATCH, Entry.USER), (layout.SUPERVISOR_PATCH, Entry(0))):
            virtual = base + index * layout.PAGE
            space.patch_entries[virtual] = tables.map(space, virtual, physical, patched | user)


def code_copy_frame(index: int) -> int:
    """The frame that holds the copy of page ``index`` of the streams: neighbours are never adjacent."""
    return layout.CODE_COPY + index * 37 % layout.CODE_COPY_FRAMES * layout.PAGE


def _map_data(tables: Tables, rng: Random, space: AddressSpace) -> None:
    frames = list(range(layout.DATA_FRAMES))
    rng.shuffle(frames)
    for index in range(layout.DATA_WINDOW_PAGES):
        physical = layout.DATA + frames[index * 5 % layout.DATA_FRAMES] * layout.PAGE
        bits = _data_bits(rng, user=index % 16 < 8)
        if rng.random() < 0.04:
            physical = rng.choice((layout.ABSENT, layout.DENIED)) & ~0xFFF
        virtual = layout.DATA_WINDOW + index * layout.PAGE
        space.pages.append(Page(virtual, physical, bits, tables.map(space, virtual, physical, bits)))
    for index in range(8):
        physical = layout.DATA + frames[index * 7 % layout.DATA_FRAMES] * layout.PAGE
        virtual = layout.HIGH_DATA + index * layout.PAGE
        bits = Entry.VALID | Entry.READ | Entry.WRITE | Entry.GLOBAL
        space.pages.append(Page(virtual, physical, bits, tables.map(space, virtual, physical, bits)))


def _data_bits(rng: Random, *, user: bool) -> int:
    bits = int(Entry.VALID | Entry.READ | Entry.WRITE)
    kind = rng.random()
    if kind > 0.7:
        bits = rng.choice(
            (
                0,
                Entry.READ | Entry.WRITE,
                Entry.VALID | Entry.READ,
                Entry.VALID | Entry.EXECUTE,
                Entry.VALID | Entry.WRITE,
                Entry.VALID | Entry.READ | Entry.EXECUTE,
                Entry.VALID,
                bits | _RESERVED,
                bits | 1 << 63,
            )
        )
    if user:
        bits |= Entry.USER
    for bit in (Entry.GLOBAL, Entry.ACCESSED, Entry.DIRTY):
        if rng.random() < 0.4:
            bits |= bit
    if rng.random() < 0.2:
        bits |= rng.randrange(4) << 8
    return bits
