"""The three messages of an epoch, their columns unpacked at most once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.columns import PackedMessage

ROW_LIMIT = 1 << 26
"""No column of an epoch that is read here has more rows, but for the values in keyframes."""

AnyArray = NDArray[Any]
Integers = NDArray[np.int64]
Words = NDArray[np.uint64]
Bytes = NDArray[np.uint8]
Flags = NDArray[np.bool_]


class Malformed(Exception):  # noqa: N818 - it never leaves verify
    """A message contradicts itself or another one; ``str()`` says how."""


def require(condition: bool | np.bool_, problem: str) -> None:
    """Raise Malformed with the problem unless the condition holds."""
    if not condition:
        raise Malformed(problem)


class Columns:
    """A message's columns by name, each kept once it has been unpacked."""

    def __init__(self, packed: PackedMessage) -> None:
        self._packed = packed
        self._kept: dict[str, AnyArray] = {}

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self._kept:
            self._kept[name] = self._packed.column(name)
        return self._kept[name]

    def rows(self, name: str) -> int:
        """Return the length of a column without unpacking it."""
        return self._packed.rows(name)

    def indices(self, name: str) -> Integers:
        """Return a column as numbers that can index, or be subtracted from each other."""
        return self[name].astype(np.int64)

    def require_equal(self, *names: str) -> None:
        """Raise Malformed unless these columns have the same length, within ROW_LIMIT."""
        rows = self.rows(names[0])
        require(rows <= ROW_LIMIT, f"column {names[0]} has {rows} rows")
        for name in names[1:]:
            problem = f"column {name} has {self.rows(name)} rows and {names[0]} has {rows}"
            require(self.rows(name) == rows, problem)

    def require_below(self, name: str, limit: int) -> None:
        """Raise Malformed unless every element of a column is less than ``limit``."""
        column = self[name]
        highest = int(column.max()) if len(column) else -1
        require(highest < limit, f"column {name} holds {highest}, which is not below {limit}")

    def require_ascending(self, name: str, *, strictly: bool = False) -> None:
        """Raise Malformed unless a column ascends."""
        before, after = self[name][:-1], self[name][1:]
        ascends = bool((before < after).all() if strictly else (before <= after).all())
        require(ascends, f"column {name} does not ascend")


@dataclass(frozen=True)
class EpochMessages:
    """What the file holds of epoch ``index``, which begins at t ``first`` and has ``length`` instructions."""

    index: int
    first: int
    length: int
    epoch: Columns
    writes: Columns
    accesses: Columns
