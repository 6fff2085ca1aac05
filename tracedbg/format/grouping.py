"""Order of the values in ``writes``: within a segment, by instruction, each but the first as a difference.

Values that one instruction writes again and again resemble each other, so they are put side by side: a
segment of SEGMENT values is sorted by key (the instruction's index in the dictionary), those of one key in
order of t, and each is exclusive-ored with the one before it of the same key. The keys follow from the
runs, so that they need not be stored.
"""

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import SEGMENT_BYTES

Values = NDArray[np.uint64]
Keys = NDArray[np.integer]

SEGMENT = SEGMENT_BYTES // 8
"""Values of a segment; the last of an epoch may be shorter."""


def encode(values: Values, keys: Keys) -> Values:
    """Return ``values``, which are in order of t, as the column holds them; ``keys`` has one for each."""
    parts = [np.empty(0, np.uint64)]
    for start in range(0, len(values), SEGMENT):
        own = keys[start : start + SEGMENT]
        order = np.argsort(own, kind="stable")
        part = values[start : start + SEGMENT][order]
        again = own[order][1:] == own[order][:-1]
        before = np.where(again, part[:-1], np.uint64(0))
        parts.append(np.concatenate([part[:1], part[1:] ^ before]))
    return np.concatenate(parts)


def decode_segment(stored: Values, keys: Keys) -> Values:
    """Return one whole segment in order of t, from its rows and the key of each value in order of t."""
    order = np.argsort(keys, kind="stable")
    own = keys[order]
    first = np.flatnonzero(np.append(True, own[1:] != own[:-1])) if len(own) else np.empty(0, np.intp)
    summed = np.bitwise_xor.accumulate(stored) if len(stored) else stored
    carried = np.append(np.zeros(1, np.uint64), summed[:-1])[first]
    values = np.empty_like(stored)
    values[order] = summed ^ np.repeat(carried, np.diff(np.append(first, len(own))))
    return values


def decode(stored: Values, keys: Keys) -> Values:
    """Return all values of an epoch in order of t."""
    parts = [np.empty(0, np.uint64)]
    for start in range(0, len(stored), SEGMENT):
        parts.append(decode_segment(stored[start : start + SEGMENT], keys[start : start + SEGMENT]))
    return np.concatenate(parts)
