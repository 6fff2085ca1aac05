"""Sv39, Sv48 and Sv57 page tables (RISC-V privileged ISA 12.1.11 and 12.3 to 12.6; Svnapot, Svpbmt)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tracedbg.arch.translation import (
    BARE,
    AddressSpace,
    MappedPage,
    ReadPage,
    ReadWord,
    Walk,
    WalkLevel,
    identity,
)
from tracedbg.ids import PhysicalAddress, VirtualAddress

PAGE_SIZE = 4096
TABLE_LIMIT = 1 << 16
"""Tables of one address space that are looked through; a real one has far fewer."""

_ENTRIES = 512
_LEVELS = {"sv39": 3, "sv48": 4, "sv57": 5}
_MODES = {0: BARE, 8: "sv39", 9: "sv48", 10: "sv57"}
_FRAME_MASK = (1 << 44) - 1
_VALID, _READ, _WRITE, _EXECUTE, _USER, _ACCESSED, _DIRTY = 1, 2, 4, 8, 16, 64, 128
_RESERVED = 0x7F << 54
_NAPOT = 1 << 63
_NAPOT_64K = 8
_NOT_IN_POINTER = _USER | _ACCESSED | _DIRTY | _NAPOT | 3 << 61
_FLAGS = "VRWXUGAD"

Entries = NDArray[np.uint64]


def address_space(satp: int) -> AddressSpace:
    """Return the address space of a value of satp."""
    number = satp >> 60
    return AddressSpace(satp, _MODES.get(number, f"reserved mode {number}"))


def flag_names(entry: int) -> tuple[str, ...]:
    """Return the names of the bits that are set in an entry, as the manual writes them."""
    names = [name for bit, name in enumerate(_FLAGS) if entry >> bit & 1]
    if entry >> 8 & 3:
        names.append(f"RSW={entry >> 8 & 3}")
    if entry >> 61 & 3:
        names.append(f"PBMT={entry >> 61 & 3}")
    return (*names, "N") if entry & _NAPOT else tuple(names)


def walk(space: AddressSpace, virtual: VirtualAddress, read: ReadWord) -> Walk:
    """Return the translation of an address, without judging whether an access is permitted."""
    if not space.is_translated:
        return identity(virtual, space)
    count = _LEVELS.get(space.mode)
    if count is None:
        return Walk(virtual, space, (), None, 0, f"satp has {space.mode}")
    if not _is_canonical(virtual, count):
        return Walk(virtual, space, (), None, 0, f"{virtual:#x} is no address of {space.mode}")
    return _Walker(space, virtual, read).run(count)


def _is_canonical(virtual: int, levels: int) -> bool:
    high = virtual >> (9 * levels + 11)
    return high == 0 or high == (1 << (64 - 9 * levels - 11)) - 1


def frame_named(entry: int) -> int:
    """Return the frame in an entry, valid or not."""
    return entry >> 10 & _FRAME_MASK


@dataclass
class _Walker:
    space: AddressSpace
    virtual: VirtualAddress
    read: ReadWord

    def run(self, count: int) -> Walk:
        levels: list[WalkLevel] = []
        table = (self.space.root & _FRAME_MASK) * PAGE_SIZE
        for level in reversed(range(count)):
            index = self.virtual >> (12 + 9 * level) & (_ENTRIES - 1)
            address = PhysicalAddress(table + 8 * index)
            entry = self.read(address)
            levels.append(WalkLevel(level, address, entry, () if entry is None else flag_names(entry)))
            problem = find_problem(entry, level)
            if entry is None or problem is not None:
                return self._failed(levels, f"the level {level} entry at {address:#x} {problem}")
            if entry & (_READ | _EXECUTE):
                return self._found(levels, entry, level)
            table = frame_named(entry) * PAGE_SIZE
        raise AssertionError("a level 0 entry is a leaf or has a problem")

    def _failed(self, levels: list[WalkLevel], problem: str) -> Walk:
        return Walk(self.virtual, self.space, tuple(levels), None, 0, problem)

    def _found(self, levels: list[WalkLevel], entry: int, level: int) -> Walk:
        size, base = _page(entry, level)
        physical = PhysicalAddress(base | self.virtual & (size - 1))
        return Walk(self.virtual, self.space, tuple(levels), physical, size, None)


def _page(entry: int, level: int) -> tuple[int, int]:
    """Return size and physical address of the page of a leaf."""
    size = 16 * PAGE_SIZE if entry & _NAPOT else PAGE_SIZE << (9 * level)
    return size, frame_named(entry) * PAGE_SIZE & ~(size - 1)


def find_problem(entry: int | None, level: int) -> str | None:
    """Return what keeps an entry from being used, as the end of a sentence; None when nothing does."""
    if entry is None:
        return "is not known"
    if not entry & _VALID:
        return "is not valid"
    if entry & _RESERVED or (entry & _WRITE and not entry & _READ):
        return "has a reserved encoding"
    if not entry & (_READ | _EXECUTE):
        if not level:
            return "is no leaf"
        return "is a pointer with bits of a leaf" if entry & _NOT_IN_POINTER else None
    if entry & _NAPOT and (level or frame_named(entry) & 15 != _NAPOT_64K):
        return "has a reserved size"
    return "is a misaligned superpage" if frame_named(entry) & ((1 << 9 * level) - 1) else None


def iter_tables(space: AddressSpace, read: ReadPage) -> Iterator[PhysicalAddress]:
    """Yield the address of each table of a space, the root first; see TABLE_LIMIT."""
    levels = _LEVELS.get(space.mode)
    pending = [] if levels is None else [((space.root & _FRAME_MASK), levels - 1)]
    budget = TABLE_LIMIT
    while pending and budget:
        frame, level = pending.pop()
        budget -= 1
        yield PhysicalAddress(frame * PAGE_SIZE)
        if level:
            entries = np.frombuffer(read(PhysicalAddress(frame * PAGE_SIZE)), "<u8")
            pointer = (entries & np.uint64(_VALID | _READ | _WRITE | _EXECUTE)) == _VALID
            pointer &= (entries & np.uint64(_RESERVED | _NOT_IN_POINTER)) == 0
            frames = (entries[pointer] >> np.uint64(10)) & np.uint64(_FRAME_MASK)
            pending += [(entry, level - 1) for entry in frames.tolist()]


def entry_frames(entries: Entries) -> Entries:
    """Return the frame that each entry leads to; all ones for one that is not valid or has reserved bits."""
    valid = (entries & np.uint64(_VALID | _RESERVED)) == _VALID
    valid &= (entries & np.uint64(_READ | _WRITE)) != _WRITE
    frames: Entries = np.where(valid, (entries >> np.uint64(10)) & np.uint64(_FRAME_MASK), ~np.uint64(0))
    return frames


def iter_mappings(
    space: AddressSpace, read: ReadPage, within: tuple[PhysicalAddress, int]
) -> Iterator[MappedPage]:
    """Yield the pages that map a byte of ``within``, by ascending address; see TABLE_LIMIT."""
    levels = _LEVELS.get(space.mode)
    if levels is None:
        return
    budget = TABLE_LIMIT
    # A pointer to the root table stands for the space; the last one pending has the lowest address.
    pending = [(_VALID | (space.root & _FRAME_MASK) << 10, levels, 0)]
    while pending:
        entry, level, virtual = pending.pop()
        if entry & (_READ | _EXECUTE):
            yield _mapped(entry, level, virtual, levels)
        elif budget:
            budget -= 1
            pending += reversed(list(_entries(read, entry, level - 1, virtual, within)))


def _entries(
    read: ReadPage, pointer: int, level: int, virtual: int, within: tuple[int, int]
) -> Iterator[tuple[int, int, int]]:
    """Yield the entries of a table that lead on or map a byte of ``within``, their level and address."""
    entries = np.frombuffer(read(PhysicalAddress(frame_named(pointer) * PAGE_SIZE)), "<u8")
    valid = (entries & np.uint64(_VALID)) != 0
    leaf = (entries & np.uint64(_READ | _EXECUTE)) != 0
    wanted = valid & np.where(leaf, _overlaps(entries, level, within), level > 0)
    for index in np.flatnonzero(wanted).tolist():
        entry = int(entries[index])
        if find_problem(entry, level) is None:
            yield entry, level, virtual + (index << (12 + 9 * level))


def _overlaps(entries: Entries, level: int, within: tuple[int, int]) -> NDArray[np.bool_]:
    """Return which entries, were they leaves, map a byte of ``within``; a few too many with Svnapot."""
    first, last = within[0] // PAGE_SIZE, (within[0] + within[1] - 1) // PAGE_SIZE
    size = np.uint64(1 << 9 * level)
    frames = (entries >> np.uint64(10)) & np.uint64(_FRAME_MASK)
    napot = (entries & np.uint64(_NAPOT)) != 0
    start = np.where(napot, frames & ~np.uint64(15), frames)
    stop = start + np.where(napot, np.uint64(16), size)
    overlap: NDArray[np.bool_] = (start <= np.uint64(last)) & (stop > np.uint64(first))
    return overlap


def _mapped(entry: int, level: int, virtual: int, levels: int) -> MappedPage:
    size, physical = _page(entry, level)
    if entry & _NAPOT:
        # Each of the 16 entries of a 64 KiB page maps its own 4 KiB.
        physical, size = physical | virtual & (size - 1), PAGE_SIZE
    sign = 1 << (9 * levels + 11)
    signed = (virtual ^ sign) - sign & (1 << 64) - 1
    return MappedPage(VirtualAddress(signed), PhysicalAddress(physical), size, flag_names(entry))
