"""What searches return: rows of structured arrays, and the window of time that they are taken from."""

from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import NEVER, Cause
from tracedbg.ids import Hart, PhysicalAddress, Time, VirtualAddress
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Numbers
from tracedbg.store.trace import Trace

Rows = NDArray[np.void]


class Kind(IntFlag):
    """What touched memory: a load, a store, or anything else that changed it."""

    LOAD = 1
    STORE = 2
    CHANGE = 4
    WRITE = STORE | CHANGE
    ANY = LOAD | STORE | CHANGE


ACCESS = np.dtype(
    [
        ("t", "<u8"), ("hart", "<u2"), ("kind", "u1"), ("cause", "u1"), ("flags", "u1"), ("size", "u1"),
        ("virtual", "<u8"), ("physical", "<u8"), ("second", "<u8"), ("value", "<u8"), ("since", "<u8"),
    ]
)  # fmt: skip
"""A load or store by the instruction at ``t``, or a change that holds from ``t`` on and happened after
``since``. ``kind`` is a Kind, ``cause`` a Cause (of changes alone), ``second`` the physical address of the
first byte in the second page of an access that crosses into one; fields without a value are NEVER, and
``hart`` is 0 for a change."""

EXECUTION = np.dtype([("t", "<u8"), ("hart", "<u2"), ("block", "<u4")])
"""A started instruction, and the block that it belongs to."""

REGISTER_WRITE = np.dtype(
    [("t", "<u8"), ("instruction", "<u8"), ("hart", "<u2"), ("value", "<u8"), ("known", "?")]
)
"""From moment ``t`` on the register holds ``value``, if that is ``known``. ``instruction`` is the t of the
instruction that wrote it, NEVER for a register that is recorded by its state alone."""


def wide_register_write(words: int) -> np.dtype[np.void]:
    """Return the type of a write of a register of several 8-byte words, lowest first.

    From moment ``t`` on the register of ``hart`` holds ``value``, as far as its words are ``known``.
    """
    return np.dtype([("t", "<u8"), ("hart", "<u2"), ("value", "<u8", (words,)), ("known", "?", (words,))])


@dataclass(frozen=True)
class Access:
    """One row of ACCESS, with None for fields without a value."""

    t: Time
    kind: Kind
    hart: Hart | None
    virtual: VirtualAddress | None
    physical: PhysicalAddress
    second: PhysicalAddress | None
    size: int
    value: int
    flags: int
    cause: Cause | None
    since: Time | None

    @classmethod
    def of(cls, row: np.void) -> "Access":
        """Return the access of a row."""
        change = row["kind"] == Kind.CHANGE
        return cls(
            t=Time(int(row["t"])),
            kind=Kind(int(row["kind"])),
            hart=None if change else Hart(int(row["hart"])),
            virtual=None if change else VirtualAddress(int(row["virtual"])),
            physical=PhysicalAddress(int(row["physical"])),
            second=None if row["second"] == NEVER else PhysicalAddress(int(row["second"])),
            size=int(row["size"]),
            value=int(row["value"]),
            flags=int(row["flags"]),
            cause=_cause(int(row["cause"])) if change else None,
            since=Time(int(row["since"])) if change else None,
        )


def _cause(value: int) -> Cause:
    known = {int(cause) for cause in Cause}
    return Cause(value) if value in known else Cause.UNEXPLAINED


@dataclass(frozen=True)
class Window:
    """The events that turn the state at moment ``start`` into the state at moment ``stop``.

    These are the instructions with start <= t < stop, and what holds from moments with start < t <= stop
    (at the very start of a trace also from that moment on).
    """

    start: Time
    stop: Time
    first_moment: int

    @classmethod
    def of(cls, trace: Trace, between: tuple[Time, Time] | None) -> "Window":
        """Return the window of ``between``, cut to the trace; all of the trace for None."""
        start, stop = (trace.start, trace.end) if between is None else between
        start = Time(min(max(start, trace.start), trace.end))
        stop = Time(min(max(stop, start), trace.end))
        return cls(start, stop, start if start == trace.start else start + 1)

    def epochs(self, trace: Trace) -> tuple[int, int]:
        """Return the first epoch of the window and the first after it."""
        return trace.epoch_of(self.start), trace.epoch_of(self.stop) + 1

    def instructions(self, epoch: EpochData) -> tuple[int, int]:
        """Return first and last + 1 of the window's instructions as offsets in an epoch."""
        return max(self.start - epoch.start, 0), min(max(self.stop - epoch.start, 0), epoch.length)

    def moments(self, epoch: EpochData, times: Numbers) -> Flags:
        """Return which offsets ``times`` of an epoch are moments of the window."""
        inside: Flags = (times.astype(np.int64) >= self.first_moment - epoch.start) & (
            times.astype(np.int64) <= self.stop - epoch.start
        )
        return inside


def join(parts: list[Rows], dtype: np.dtype[np.void]) -> Rows:
    """Return the rows of all parts, one after the other."""
    return np.concatenate(parts) if parts else np.empty(0, dtype)
