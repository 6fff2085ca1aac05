"""Ranges of memory as people write them: ``0x80200000``, ``0x80200000:8``, ``task_table+16:8``."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

from tracedbg.arch import AddressSpace
from tracedbg.errors import UsageError
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import PhysicalAddress, VirtualAddress
from tracedbg.numerals import NUMBER, parse_number
from tracedbg.state.moment import Moment
from tracedbg.store.guest import Guest
from tracedbg.symbols import SymbolTable

DEFAULT_SIZE = 8
SIZE_LIMIT = 1 << 26

_FORM = re.compile(rf"(?P<base>.+?)(?:\+(?P<offset>{NUMBER}))?(?::(?P<size>{NUMBER}))?")

Where = int | str | tuple[int, int]
"""An address, an address with a size in bytes, or a text."""


@dataclass(frozen=True)
class Piece:
    """Bytes that lie side by side in physical memory; ``virtual`` is None where it was not asked for."""

    physical: PhysicalAddress
    size: int
    virtual: VirtualAddress | None


@dataclass(frozen=True)
class Range:
    """What was asked for: ``is_virtual`` where ``address`` is a virtual one. ``symbol`` gave the address."""

    address: int
    size: int
    is_virtual: bool
    symbol: str | None = None


def parse_range(where: Where, symbols: SymbolTable, *, virtual: bool) -> Range:
    """Return the range that ``where`` names; a symbol's address is virtual, others as ``virtual`` says.

    A size that is not given is the symbol's, else 8. UsageError for what names no range.
    """
    if isinstance(where, int):
        return _checked(Range(where, DEFAULT_SIZE, virtual))
    if isinstance(where, tuple):
        return _checked(Range(*where, virtual))
    match = _FORM.fullmatch(where.strip())
    if match is None:
        raise UsageError("an empty text is no address; write 0x80200000, 0x80200000:8 or a symbol")
    offset = parse_number(match["offset"] or "0")
    size = None if match["size"] is None else parse_number(match["size"])
    if not re.fullmatch(NUMBER, match["base"]):
        return _checked(_of_symbol(match["base"], offset, size, symbols))
    address = parse_number(match["base"]) + offset
    return _checked(Range(address, DEFAULT_SIZE if size is None else size, virtual))


def _of_symbol(name: str, offset: int, size: int | None, symbols: SymbolTable) -> Range:
    symbol = symbols.find(name)
    if symbol is None:
        near = symbols.nearest(name)
        hint = f"; did you mean {', '.join(near)}?" if near else ""
        raise UsageError(f"{name}: neither an address nor a known symbol{hint}")
    rest = max(symbol.size - offset, 0) or DEFAULT_SIZE
    return Range(symbol.address + offset, rest if size is None else size, True, name)


def _checked(found: Range) -> Range:
    if not 1 <= found.size <= SIZE_LIMIT:
        raise UsageError(f"a range of {found.size} bytes: 1 to {SIZE_LIMIT} can be asked for")
    if not 0 <= found.address <= (1 << 64) - found.size:
        raise UsageError(f"{found.address:#x} is no address of 64 bits")
    return found


def pieces(found: Range, moment: Moment, guest: Guest) -> list[Piece]:
    """Return the physical pieces of a range, virtual addresses as ``moment`` translates them.

    Where that leads to no RAM, as in firmware that runs without translation, the address spaces used around
    then are tried, the newest first. UsageError when no byte of a virtual range is mapped to any memory.
    """
    if not found.is_virtual:
        return [Piece(PhysicalAddress(found.address), found.size, None)]
    own = _translated(found, moment, None)
    for parts in chain([own], _in_other_spaces(found, moment)):
        if any(_overlaps(part, [(area.start, area.size) for area in guest.ram]) for part in parts):
            return parts
    if any(_is_memory(guest, part) for part in own):
        return own
    problem = moment.translate(found.address).problem or "no memory is there"
    raise UsageError(f"{found.address:#x} is not mapped at t {moment.t}: {problem}")


def _in_other_spaces(found: Range, moment: Moment) -> Iterator[list[Piece]]:
    # A function, so that the spaces are looked for only when they are needed.
    for space in moment.address_spaces():
        yield _translated(found, moment, space)


def _translated(found: Range, moment: Moment, space: AddressSpace | None) -> list[Piece]:
    parts: list[Piece] = []
    address, stop = found.address, found.address + found.size
    while address < stop:
        end = min(stop, (address // PAGE_SIZE + 1) * PAGE_SIZE)
        physical = moment.translate(address, space=space).physical
        if physical is not None:
            parts.append(Piece(physical, end - address, VirtualAddress(address)))
        address = end
    return _merged(parts)


def _is_memory(guest: Guest, part: Piece) -> bool:
    areas = [(area.start, area.size) for area in guest.ram]
    return _overlaps(part, areas + [(device.start, device.size) for device in guest.devices])


def _overlaps(part: Piece, areas: list[tuple[PhysicalAddress, int]]) -> bool:
    return any(part.physical < start + size and start < part.physical + part.size for start, size in areas)


def check_memory(guest: Guest, parts: list[Piece]) -> None:
    """Raise UsageError unless RAM or a device answers at a byte of the pieces."""
    if any(_is_memory(guest, part) for part in parts):
        return
    ram = ", ".join(f"{area.start:#x} to {area.end - 1:#x}" for area in guest.ram)
    raise UsageError(f"{parts[0].physical:#x} is outside memory: RAM is at {ram}")


def _merged(parts: list[Piece]) -> list[Piece]:
    merged = parts[:1]
    for part in parts[1:]:
        last = merged[-1]
        if last.physical + last.size == part.physical:
            merged[-1] = Piece(last.physical, last.size + part.size, last.virtual)
        else:
            merged.append(part)
    return merged
