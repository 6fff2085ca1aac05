"""The value of one register at many moments at once."""

from functools import lru_cache

import numpy as np

from tracedbg.arch import architecture
from tracedbg.ids import Epoch, Hart, RegisterId, Time
from tracedbg.query import register_writes, registers_at
from tracedbg.query.rows import Rows
from tracedbg.state.registers import register_numbers
from tracedbg.store import Trace
from tracedbg.store.source import Flags, Integers, Numbers

KEPT_EPOCHS = 8
"""Epochs whose writes are kept; a busy register has some 3 MB an epoch."""


class RegisterTrack:
    """What one register held; finds all writes of an epoch at once and keeps those of a few epochs."""

    def __init__(self, trace: Trace, register: RegisterId) -> None:
        self.trace = trace
        self.register = register
        self._writes_kept = lru_cache(maxsize=KEPT_EPOCHS)(self._find_writes)
        self._opening = lru_cache(maxsize=1024)(self._find_opening)

    @classmethod
    def find(cls, trace: Trace, name: str) -> "RegisterTrack | None":
        """Return the track of a register by name, None when the trace does not have it in one word."""
        numbers = register_numbers(architecture(trace.guest.arch), trace.guest.registers).get(name, [])
        return cls(trace, RegisterId(numbers[0])) if len(numbers) == 1 else None

    def writes(self, epoch: Epoch | int) -> Rows:
        """Return the REGISTER_WRITE rows of an epoch, of all harts, in order of t."""
        return self._writes_kept(int(epoch))

    def _find_writes(self, index: int) -> Rows:
        epoch = self.trace.epoch(index)
        return register_writes(self.trace, self.register, between=(epoch.start, epoch.end))

    def opening(self, epoch: Epoch | int, hart: Hart) -> int | None:
        """Return the register's value at the first moment of an epoch, None where it is unknown."""
        return self._opening(int(epoch), hart)

    def _find_opening(self, index: int, hart: Hart) -> int | None:
        values, known = registers_at(self.trace, hart, Time(int(self.trace.epoch_starts[index])))
        return int(values[self.register]) if known[self.register] else None

    def values_at(self, epoch: Epoch | int, hart: Hart, times: Integers) -> tuple[Numbers, Flags]:
        """Return the values at absolute ``times`` of one epoch, and which of them are known."""
        rows = self.writes(epoch)
        rows = rows[rows["hart"] == hart]
        places = np.searchsorted(rows["t"], np.asarray(times, np.uint64), "right") - 1
        opening = self.opening(epoch, hart)
        values = np.full(len(times), opening or 0, np.uint64)
        known = np.full(len(times), opening is not None, np.bool_)
        inside = places >= 0
        values[inside] = rows["value"][places[inside]]
        known[inside] = rows["known"][places[inside]]
        return values, known

    def value_at(self, hart: Hart, t: Time) -> int | None:
        """Return the value at one moment, None where it is unknown."""
        values, known = registers_at(self.trace, hart, t)
        return int(values[self.register]) if known[self.register] else None
