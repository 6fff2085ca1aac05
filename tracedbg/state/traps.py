"""The traps that a trace holds, as a hart took them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import NEVER
from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.store.epoch import EpochData, TrapRows
from tracedbg.store.source import Flags
from tracedbg.store.trace import Trace


@dataclass(frozen=True)
class Trap:
    """A trap that ``hart`` took: ``t`` is the first instruction of the handler.

    ``last`` is the hart's last instruction before it (None for none), ``epc`` where it is to go on, ``cause``
    and ``value`` are what the hart reports; ``source`` and ``target`` are the privileges before and after.
    """

    t: Time
    hart: Hart
    last: Time | None
    cause: int
    epc: VirtualAddress
    value: int
    source: int
    target: int


def traps_at(trace: Trace, t: Time) -> list[Trap]:
    """Return the traps whose handlers begin at ``t``: several where one came before another's handler ran."""
    index = trace.epoch_of(t)
    epoch = trace.epoch(index)
    # What led to the first instruction of an epoch is told at the end of the one before.
    epochs = [trace.epoch(index - 1), epoch] if index and t == epoch.start else [epoch]
    return [
        _trap(each, each.traps, row)
        for each in epochs
        for row in np.flatnonzero(each.traps.t.astype(np.int64) == t - each.start).tolist()
    ]


def trap_at(trace: Trace, t: Time) -> Trap | None:
    """Return the trap whose handler begins with the instruction at ``t``."""
    found = traps_at(trace, t)
    return found[-1] if found else None


def iter_traps_before(trace: Trace, hart: Hart, t: Time, oldest: Time) -> Iterator[Trap]:
    """Yield the traps of a hart with ``oldest`` <= their t < ``t``, the newest first."""
    for index in range(trace.epoch_of(t), trace.epoch_of(max(oldest, trace.start)) - 1, -1):
        epoch = trace.epoch(index)
        rows = epoch.traps
        times = rows.t.astype(np.int64) + epoch.start
        found = np.flatnonzero((rows.hart == hart) & (times < t) & (times >= oldest))
        for row in found[::-1].tolist():
            yield _trap(epoch, rows, row)


def last_trap(trace: Trace, t: Time, choose: Callable[[TrapRows], Flags]) -> Trap | None:
    """Return the newest trap whose handler begins at or before ``t`` of those that ``choose`` flags."""
    for index in range(trace.epoch_of(t), -1, -1):
        epoch = trace.epoch(index)
        rows = epoch.traps
        found = np.flatnonzero((rows.t.astype(np.int64) + epoch.start <= t) & choose(rows))
        if len(found):
            return _trap(epoch, rows, int(found[-1]))
    return None


def _trap(epoch: EpochData, rows: TrapRows, row: int) -> Trap:
    last = int(rows.last[row])
    return Trap(
        t=Time(epoch.start + int(rows.t[row])),
        hart=Hart(int(rows.hart[row])),
        last=None if last == NEVER else Time(last),
        cause=int(rows.cause[row]),
        epc=VirtualAddress(int(rows.epc[row])),
        value=int(rows.tval[row]),
        source=int(rows.source[row]),
        target=int(rows.target[row]),
    )
