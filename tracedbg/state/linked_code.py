"""Where code is linked that also runs elsewhere: a trampoline, a kernel before it moves up."""

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import VirtualAddress
from tracedbg.store.source import Numbers
from tracedbg.store.trace import Trace
from tracedbg.symbols import Content, SymbolTable

OFFSETS_TRIED = 8
"""Distances between virtual and physical addresses that are looked at, those with most pages first."""
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

    def places(self, address: VirtualAddress) -> list[VirtualAddress]:
        """Return where else the code ran that the symbol files have at ``address``; ``find`` leads back."""
        virtual, physical = self._pages
        found = []
        for offset in self._offsets:
            page, within = divmod((address - offset) % _ADDRESSES, PAGE_SIZE)
            found += [
                VirtualAddress(alias * PAGE_SIZE + within)
                for alias in virtual[physical == np.uint64(page)].tolist()
            ]
        others = (each for each in dict.fromkeys(found) if self._symbols.at(each) is None)
        return [each for each in others if self.find(each) == address]

    @cached_property
    def _pages(self) -> tuple[Numbers, Numbers]:
        """The virtual and the physical page of each page of code, each pair once, in order."""
        blocks = self._store.blocks
        kernel = blocks.privilege != 0
        virtual, physical = (
            each[kernel] // np.uint64(PAGE_SIZE) for each in (blocks.virtual, blocks.physical)
        )
        order = np.lexsort((physical, virtual))
        virtual, physical = virtual[order], physical[order]
        is_new = np.ones(len(order), bool)
        is_new[1:] = (virtual[1:] != virtual[:-1]) | (physical[1:] != physical[:-1])
        return virtual[is_new], physical[is_new]

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
            pages = virtual[virtual - physical == offset].tolist()
            if any(Content.CODE in self._symbols.contents(page * PAGE_SIZE, PAGE_SIZE) for page in pages):
                found.append(int(offset) * PAGE_SIZE)
        return found
