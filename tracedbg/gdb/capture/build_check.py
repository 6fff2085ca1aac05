"""Whether the code that a guest runs is that of the symbol files that were given."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from tracedbg.arch import Use
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.gdb.capture.guest import LiveGuest
from tracedbg.symbols import LoadSegment, SymbolTable

DIFFERENT = 0.25
"""Kernels patch some of their code as they start, a call in each function; of another build most differs."""
_ENOUGH = 64
"""Bytes of a page that are worth comparing."""


class BuildCheck:
    """Compares the pages of code that harts stand in with those of files, until a file is found wrong."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._files = [(str(path), SymbolTable.load([path])) for path in files]

    def look(self, guest: LiveGuest) -> list[str]:
        """Return a sentence for each file that is found to be of another build."""
        found = []
        for name, symbols in list(self._files):
            problem = next(self._problems(guest, symbols), None)
            if problem is not None:
                self._files.remove((name, symbols))
                found.append(f"{name} is not what runs: {problem}; is it of another build?")
        return found

    def _problems(self, guest: LiveGuest, symbols: SymbolTable) -> Iterator[str]:
        for hart, state in enumerate(guest.harts):
            page = state.pc & -PAGE_SIZE
            held = _kernel_page(guest, hart, state.pc)
            if held is None:
                continue
            for segment in symbols.load_segments():
                first, last = _common(segment, page)
                if last - first < _ENOUGH or not first <= state.pc < last:
                    continue
                own = segment.data[first - segment.virtual_address : last - segment.virtual_address]
                ran = held[first - page : last - page]
                different = np.count_nonzero(np.frombuffer(own, np.uint8) != np.frombuffer(ran, np.uint8))
                if different > DIFFERENT * len(own):
                    yield f"{different} of {len(own)} bytes at {first:#x}, where hart {hart} stands, differ"


def _kernel_page(guest: LiveGuest, hart: int, pc: int) -> bytes | None:
    """Return the page around pc, None where it is a user's or cannot be read.

    Different programs have the same addresses, and a file may be of one that does not run now.
    """
    space = guest.space(hart, Use.FETCH)
    walk = None if space is None else guest.walk(space, pc)
    if walk is None or walk.physical is None or guest.arch.user_flag in walk.flags:
        return None
    page = guest.memory.page(walk.physical)
    return None if page is None else bytes(page)


def _common(segment: LoadSegment, page: int) -> tuple[int, int]:
    """Return first and last address of what a segment has of a page."""
    start = segment.virtual_address
    return max(start, page), min(start + len(segment.data), page + PAGE_SIZE)
