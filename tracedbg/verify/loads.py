"""What loads brought to the registers of their instructions."""

import numpy as np

from tracedbg.format.schema import ACCESS_STORE, Source
from tracedbg.verify.messages import Bytes, Columns, Flags, Integers, Words

_BITS = {
    Source.LOAD_S8: (8, True), Source.LOAD_S16: (16, True), Source.LOAD_S32: (32, True),
    Source.LOAD_U8: (8, False), Source.LOAD_U16: (16, False), Source.LOAD_U32: (32, False),
    Source.LOAD_64: (64, False),
}  # fmt: skip
"""Bits of memory that a load brings, and whether the highest of them is repeated."""


def extend(values: Words, source: Source) -> Words:
    """Return what a load of this kind leaves in its register, from the bytes it brought (zero-extended)."""
    bits, signed = _BITS[source]
    shift = np.uint64(64 - bits)
    moved = values << shift
    return (moved.view(np.int64) >> shift.astype(np.int64)).view(np.uint64) if signed else moved >> shift


def are_loads(sources: Bytes) -> Flags:
    """Return for each instruction whether its destination gets what its own load brings."""
    return (sources >= Source.LOAD_S8) & (sources <= Source.LOAD_U32)


class Loads:
    """The first load of each instruction of an epoch; ``there`` tells which instructions have one."""

    def __init__(self, accesses: Columns, length: int) -> None:
        self._rows = np.flatnonzero(accesses["flags"] & ACCESS_STORE == 0)
        self._t = accesses["t"][self._rows]
        self._value = accesses["value"]
        self.there = np.zeros(length, bool)
        self.there[self._t] = True

    def values(self, instructions: Integers, sources: Bytes) -> Words:
        """Return what these instructions, which all have a load, leave in their registers."""
        found = np.searchsorted(self._t, instructions.astype(self._t.dtype))
        brought = self._value[self._rows[found]]
        values = np.empty_like(brought)
        for source in _BITS:
            own = sources == source
            values[own] = extend(brought[own], source)
        return values
