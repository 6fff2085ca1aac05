"""Where code is linked that also runs elsewhere: a trampoline, a kernel before it moves up."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import VirtualAddress
from tracedbg.store.trace import Trace
from tracedbg.symbols import SymbolTable

OFFSETS_TRIED = 8
"""Distances between virtual and physical addresses that are looked at, those with most pages first."""
PAGES_TRIED = 8
"""Pages at one distance in which a symbol is looked for."""
_ADDRESSES = 1 << 64


class LinkedCode:
    """Answers from the blocks that ran outside user mode, looked at when it is first asked; immutable.

    The kernel's image lies at one distance from physical memory; code is known again by its physical page.
    """

    def __init__(self, store: Trace, symbols: SymbolTable) -> None:
        self._store = store
        self._symbols = symbols

    def find(self, address: VirtualAddress) -> VirtualAddress | None:
        """Return the address that the symbol files have for code at ``address``, None where none is known."""
        physical = self._physical_pages.get(address // PAGE_SIZE)
        if physical is None:
            return None
        place = physical * PAGE_SIZE + address % PAGE_SIZE
        linked = (VirtualAddress((place + offset) % _ADDRESSES) for offset in self._offsets)
        return next((each for each in linked if each != address and self._symbols.at(each)), None)

    @cached_property
    def _pages(self) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint64]], ...]:
        """The virtual and the physical page of each page of code, each pair once."""
        blocks = self._store.blocks
        kernel = blocks.privilege != 0
        pairs = np.stack([blocks.virtual[kernel], blocks.physical[kernel]], axis=1) // np.uint64(PAGE_SIZE)
        pairs = np.unique(pairs, axis=0)
        return pairs[:, 0], pairs[:, 1]

    @cached_property
    def _physical_pages(self) -> Mapping[int, int]:
        """The physical page behind each virtual one that always had the same."""
        virtual, physical = self._pages
        pages, first, count = np.unique(virtual, return_index=True, return_counts=True)
        alone = count == 1
        return dict(zip(pages[alone].tolist(), physical[first[alone]].tolist(), strict=True))

    @cached_property
    def _offsets(self) -> list[int]:
        """What virtual addresses are above physical ones where the symbol files have code."""
        virtual, physical = self._pages
        offsets, counts = np.unique(virtual - physical, return_counts=True)
        found = []
        for offset in offsets[np.argsort(-counts, kind="stable")][:OFFSETS_TRIED]:
            pages = virtual[virtual - physical == offset][:PAGES_TRIED].tolist()
            if any(self._has_code(page) for page in pages):
                found.append(int(offset) * PAGE_SIZE)
        return found

    def _has_code(self, page: int) -> bool:
        """Say whether a symbol file has a name for one of the blocks that ran in a page."""
        blocks = self._store.blocks
        ran = blocks.virtual[blocks.virtual // np.uint64(PAGE_SIZE) == np.uint64(page)][:PAGES_TRIED]
        return any(self._symbols.at(VirtualAddress(address)) is not None for address in ran.tolist())
