"""From virtual to physical addresses: what a page-table walk finds, on any instruction set."""

from collections.abc import Callable
from dataclasses import dataclass

from tracedbg.ids import PhysicalAddress, VirtualAddress

ReadWord = Callable[[PhysicalAddress], int | None]
"""Returns the page-table entry at a physical address, None where memory there is not known."""

ReadPage = Callable[[PhysicalAddress], bytes]
"""Returns a page of memory at a physical address; what is not known reads as zero."""

BARE = "bare"


@dataclass(frozen=True)
class AddressSpace:
    """How virtual addresses are read: ``root`` is the value of the register that names the tables.

    ``mode`` names the scheme, such as ``sv39``; ``bare`` where addresses are physical.
    """

    root: int
    mode: str

    @property
    def is_translated(self) -> bool:
        """Whether tables are walked."""
        return self.mode != BARE


@dataclass(frozen=True)
class WalkLevel:
    """One entry that a page-table walk reads.

    ``level`` counts down to 0, the level of the smallest pages; ``address`` is where the entry lies,
    ``value`` is None where that memory is not known, ``flags`` are the names of the bits that are set.
    """

    level: int
    address: PhysicalAddress
    value: int | None
    flags: tuple[str, ...]


@dataclass(frozen=True)
class Walk:
    """The translation of ``virtual``, each level shown.

    ``physical`` is None where there is none; then ``problem`` is a sentence that says why, and
    ``page_size`` is 0. Else ``page_size`` is the size in bytes of the page that the tables map: no bound
    (and all ones) without translation.
    """

    virtual: VirtualAddress
    space: AddressSpace
    levels: tuple[WalkLevel, ...]
    physical: PhysicalAddress | None
    page_size: int
    problem: str | None

    @property
    def flags(self) -> tuple[str, ...]:
        """The flags of the entry that maps the page; none without one."""
        return self.levels[-1].flags if self.levels and self.physical is not None else ()


@dataclass(frozen=True)
class MappedPage:
    """``size`` bytes from ``virtual`` on lie at ``physical``; ``flags`` are those of its entry."""

    virtual: VirtualAddress
    physical: PhysicalAddress
    size: int
    flags: tuple[str, ...]


def identity(virtual: VirtualAddress, space: AddressSpace) -> Walk:
    """Return the translation where addresses are physical."""
    return Walk(virtual, space, (), PhysicalAddress(virtual), (1 << 64) - 1, None)
