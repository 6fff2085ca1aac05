"""What each instruction of an epoch left in its integer destination register."""

import numpy as np

from tracedbg.format.grouping import decode
from tracedbg.format.schema import LateKind, Source
from tracedbg.verify.blocks import Dictionary, Instructions
from tracedbg.verify.late import Late, Settled
from tracedbg.verify.loads import Loads, are_loads
from tracedbg.verify.messages import Columns, EpochMessages, Flags, Integers, Words, require


class Results:
    """Sources and values of an epoch's instructions; values are only computed where they are asked for.

    ``source`` and ``unknown`` have a row for each instruction; ``missing`` counts loads that retired
    without an access, ``open`` the instructions of which no result is known. Raises Malformed.
    """

    def __init__(
        self, messages: EpochMessages, dictionary: Dictionary, instructions: Instructions, late: Late
    ) -> None:
        self._index = instructions.index
        self._dictionary = dictionary
        self.source = dictionary.source[self._index]
        self._recorded = np.flatnonzero(self.source == Source.RECORDED)
        self._values = _decoded(messages.writes, self._index[self._recorded])
        opened = messages.epoch.indices("open.t")
        self._settled = late.settled(messages.first, opened)
        self._failed = np.zeros(messages.length, bool)
        self._failed[messages.epoch["unretired.t"]] = True
        self._failed[self._settled.of(LateKind.NOT_RETIRED)] = True
        self.unknown = self._unknown(opened)
        self.open = int(np.count_nonzero(self.unknown))
        self._loads = Loads(messages.accesses, messages.length)
        missing = are_loads(self.source) & ~(self._failed | self.unknown | self._loads.there)
        self.missing = int(np.count_nonzero(missing))
        self.unknown |= missing

    def _unknown(self, opened: Integers) -> Flags:
        unknown = np.zeros(len(self.source), bool)
        unknown[opened] = True
        unknown[self._settled.row] = False
        # That there is no value to tell can only be said of values that come from elsewhere.
        silent = self._settled.of(LateKind.NO_VALUE)
        unknown[silent[self.source[silent] == Source.RECORDED]] = True
        return unknown

    def writers(self) -> Integers:
        """Return the instructions that wrote their destination register, or may have."""
        return np.flatnonzero((self.source != Source.NONE) & (self.source != Source.ANY) & ~self._failed)

    def destinations(self, rows: Integers) -> Integers:
        """Return the registers that these instructions write."""
        return self._dictionary.destination[self._index[rows]].astype(np.int64)

    @property
    def failed(self) -> Flags:
        """Whether each instruction is known to have trapped without effect."""
        return self._failed

    def addresses(self, rows: Integers) -> Words:
        """Return the virtual addresses of these instructions."""
        return self._dictionary.address[self._index[rows]]

    def values(self, rows: Integers) -> Words:
        """Return what these instructions left in their registers; without meaning where ``unknown``."""
        sources = self.source[rows]
        values = self._dictionary.constant[self._index[rows]]
        own = sources == Source.RECORDED
        values[own] = self._values[np.searchsorted(self._recorded, rows[own])]
        _settle(self._settled, rows, values)
        own = are_loads(sources) & self._loads.there[rows]
        values[own] = self._loads.values(rows[own], sources[own])
        return values


def _decoded(writes: Columns, keys: Integers) -> Words:
    """Return the recorded values in order of t; ``keys`` has the instruction of each in the dictionary."""
    given = writes.rows("value")
    require(given == len(keys), f"{given} register values for {len(keys)} instructions")
    return decode(writes["value"], keys)


def _settle(settled: Settled, rows: Integers, values: Words) -> None:
    """Put the values that became known late in their places."""
    told = settled.kind == LateKind.VALUE
    order = np.argsort(settled.row[told])
    late, value = settled.row[told][order], settled.value[told][order]
    if len(late):
        found = np.minimum(np.searchsorted(late, rows), len(late) - 1)
        own = late[found] == rows
        values[own] = value[found[own]]
