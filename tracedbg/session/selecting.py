"""Which bytes are picked out, and which rows of memory are shown around them."""

from dataclasses import replace

from tracedbg.errors import UsageError
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import PhysicalAddress, VirtualAddress
from tracedbg.session.place import Place, Selection, Watch
from tracedbg.state import Moment

SELECTED_BYTES = 8
ROW = 16
ADDRESSES = 1 << 64


class UnmappedError(UsageError):
    """Bytes have no address of the kind asked for; ``selection`` names them, ``missing`` what they lack."""

    def __init__(self, selection: Selection, missing: str) -> None:
        super().__init__(selection, missing)
        self.selection = selection
        self.missing = missing

    def __str__(self) -> str:
        return f"{self.selection.text} has no {self.missing} at this t"


def row_of(address: int) -> int:
    """Return the address at which the row of memory that holds an address begins."""
    return address - address % ROW


def selected(address: int, size: int, *, is_virtual: bool) -> Selection:
    """Return a selection in one of the two address spaces."""
    kind = VirtualAddress if is_virtual else PhysicalAddress
    return Selection(kind(address), size, is_virtual)


def with_selection(place: Place, selection: Selection) -> Place:
    """Return the place with other bytes picked out and shown."""
    return replace(place, selection=selection, memory_base=row_of(selection.address))


def with_moved_selection(place: Place, delta: int, shown: int) -> Place:
    """Return the place with the selection moved by bytes; what is shown, ``shown`` bytes, scrolls along."""
    chosen, base = place.selection, place.memory_base
    address = min(max(chosen.address + delta, 0), ADDRESSES - chosen.size)
    if address < base:
        base = row_of(address)
    elif address + chosen.size > base + shown:
        base = row_of(max(address + chosen.size - shown + ROW - 1, 0))
    moved = selected(address, chosen.size, is_virtual=chosen.is_virtual)
    return replace(place, selection=moved, memory_base=min(base, row_of(ADDRESSES - shown)))


def find_physical(moment: Moment, selection: Selection) -> PhysicalAddress | None:
    """Return where a selection lies in physical memory, None where nothing is mapped."""
    if selection.is_virtual:
        return moment.translate(selection.address).physical
    return PhysicalAddress(selection.address)


def as_watch(moment: Moment, selection: Selection) -> Watch:
    """Return the selection's physical bytes; UnmappedError where there are none."""
    physical = find_physical(moment, selection)
    if physical is None:
        raise UnmappedError(selection, "physical address")
    return Watch(physical, selection.size)


def in_other_space(moment: Moment, selection: Selection) -> Selection:
    """Return a selection by physical instead of virtual address, or the other way round.

    A virtual address is one of the address space in force. UnmappedError where there is none.
    """
    if selection.is_virtual:
        return selected(as_watch(moment, selection).start, selection.size, is_virtual=False)
    if moment.translate(selection.address).physical == selection.address:
        return selected(selection.address, selection.size, is_virtual=True)
    space = moment.address_space()
    pages = [alias.page for alias in moment.aliases(selection.address // PAGE_SIZE) if alias.space == space]
    if not pages:
        raise UnmappedError(selection, "virtual address")
    virtual = pages[0].virtual + selection.address - pages[0].physical
    return selected(virtual, selection.size, is_virtual=True)
