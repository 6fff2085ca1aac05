"""Whether an ELF file is the one that ran."""

import numpy as np
from numpy.typing import NDArray

from tracedbg.store.blocks import BlockTable
from tracedbg.store.trace import Trace
from tracedbg.symbols import LoadSegment, SymbolTable

DIFFERENT = 0.05
"""Kernels patch a few of their instructions as they run; another build differs in most."""

Words = NDArray[np.uint32]


def find_mismatch(store: Trace, name: str, symbols: SymbolTable) -> str | None:
    """Return a sentence that names the file and the trace if the file's code is not what ran, else None.

    Instructions that ran at the file's virtual addresses are compared with its bytes, address by address.
    A file that carries no code, as ``debug_only`` makes it, is not judged.
    """
    segments = [segment for segment in symbols.load_segments() if segment.data]
    if not segments:
        return None
    ran = same = 0
    for segment in segments:
        counts = _compare(store.blocks, segment)
        ran, same = ran + counts[0], same + counts[1]
    if not ran:
        return f"{name}: no code of {store.path} ran at its addresses; was it linked or loaded elsewhere?"
    different = ran - same
    if different <= DIFFERENT * ran:
        return None
    build = f" (build id {symbols.build_id})" if symbols.build_id else ""
    return (
        f"{name}{build} is not what ran in {store.path}: "
        f"{different} of {ran} instructions at its addresses have other bytes"
    )


def _compare(blocks: BlockTable, segment: LoadSegment) -> tuple[int, int]:
    """Return at how many addresses of a segment code ran, and at how many of them the segment's own."""
    start, stop = segment.virtual_address, segment.virtual_address + len(segment.data)
    inside = (blocks.address >= np.uint64(start)) & (blocks.address < np.uint64(stop))
    chosen = np.flatnonzero(inside)
    offsets = (blocks.address[chosen] - np.uint64(start)).astype(np.int64)
    length = blocks.length[chosen]
    data = np.frombuffer(segment.data, np.uint8)
    same = _words(data, offsets, length) == _words(blocks.code, blocks.byte[chosen], length)
    return len(np.unique(offsets)), len(np.unique(offsets[same]))


def _words(data: NDArray[np.uint8], offsets: NDArray[np.int64], length: NDArray[np.uint8]) -> Words:
    """Return the first four bytes of each instruction, those beyond its length as zero."""
    padded = np.concatenate([data, np.zeros(4, np.uint8)]).astype(np.uint32)
    words = np.zeros(len(offsets), np.uint32)
    for place in range(4):
        words |= np.where(length > place, padded[offsets + place] << np.uint32(8 * place), np.uint32(0))
    return words
