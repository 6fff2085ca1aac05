"""What started instructions left in their integer destination registers."""

import numpy as np

from tracedbg.format.schema import LateKind, Source
from tracedbg.ids import Time
from tracedbg.store.epoch import EpochData, Instructions
from tracedbg.store.source import Flags, Integers, Numbers
from tracedbg.store.trace import Trace

_BITS = np.array([64, 64, 64, 8, 16, 32, 64, 8, 16, 32], np.uint64)
"""Bits that each Source loads."""
_SIGNED = np.array([False] * 3 + [True] * 3 + [False] * 4)


def with_effect(trace: Trace, epoch: EpochData, rows: Instructions) -> Instructions:
    """Return those of ``rows`` that have a destination register and are not known not to have retired."""
    return retired(trace, epoch, rows.select(epoch.blocks.destination[rows.instruction] != 0))


def retired(trace: Trace, epoch: EpochData, rows: Instructions) -> Instructions:
    """Return those of ``rows`` that are not known not to have retired."""
    return rows.select(~_trapped(trace, epoch, rows))


def has_retired(trace: Trace, t: Time) -> bool:
    """Say whether the instruction that starts at ``t`` is not known not to have retired."""
    epoch = trace.epoch(trace.epoch_of(t))
    return len(retired(trace, epoch, epoch.instructions(t - epoch.start, t - epoch.start + 1)).t) == 1


def last_unsettled(trace: Trace, epoch: EpochData, rows: Instructions) -> int:
    """Return the t of the last of ``rows`` that may have changed any register, with no telling; -1 for none.

    Once its hart runs again, state rows tell all registers.
    """
    rows = rows.select(epoch.blocks.source[rows.instruction] == Source.ANY)
    rows = retired(trace, epoch, rows.select(_among(rows.t, epoch.open)))
    return int(rows.t[-1]) if len(rows.t) else -1


def _trapped(trace: Trace, epoch: EpochData, rows: Instructions) -> Flags:
    """Return which of ``rows`` are known not to have retired."""
    trapped = _among(rows.t, epoch.unretired)
    is_open = np.flatnonzero(_among(rows.t, epoch.open))
    if len(is_open):
        found, late = trace.late.find(rows.t[is_open].astype(np.uint64) + np.uint64(epoch.start))
        found[found] = trace.late.kind[late[found]] == LateKind.NOT_RETIRED
        trapped[is_open[found]] = True
    return trapped


def values_of(trace: Trace, epoch: EpochData, rows: Instructions) -> tuple[Numbers, Flags]:
    """Return the values that instructions of ``with_effect`` wrote, and which of them are known."""
    blocks = epoch.blocks
    source = blocks.source[rows.instruction]
    values = blocks.constant[rows.instruction]
    known = source == Source.CONSTANT
    recorded = source == Source.RECORDED
    values[recorded] = epoch.recorded_values(rows.select(recorded))
    known |= recorded
    loads = blocks.is_load[rows.instruction]
    if loads.any():
        loaded, there = epoch.accesses.loaded_values(rows.t[loads])
        values[loads] = extend(loaded, source[loads])
        known[loads] = there
    _settle_open(trace, epoch, rows, values, known)
    return values, known


def _settle_open(trace: Trace, epoch: EpochData, rows: Instructions, values: Numbers, known: Flags) -> None:
    """Put in what is known late, in place."""
    is_open = np.flatnonzero(_among(rows.t, epoch.open))
    if not len(is_open):
        return
    late = trace.late
    found, places = late.find(rows.t[is_open].astype(np.uint64) + np.uint64(epoch.start))
    known[is_open[~found]] = False
    is_open, places = is_open[found], places[found]
    value = late.kind[places] == LateKind.VALUE
    values[is_open[value]] = late.value[places[value]]
    known[is_open[value]] = True
    # What has no value of its own has the one of its load or its constant.
    recorded = epoch.blocks.source[rows.instruction[is_open]] == Source.RECORDED
    known[is_open[recorded & ~value]] = False


def extend(values: Numbers, source: Numbers) -> Numbers:
    """Return loaded values as sign or zero extension leaves them in a register of 64 bits."""
    shift = np.uint64(64) - _BITS[source]
    high = values.astype(np.uint64) << shift
    signed = (high.view(np.int64) >> shift.view(np.int64)).view(np.uint64)
    extended: Numbers = np.where(_SIGNED[source], signed, high >> shift)
    return extended


def _among(times: Integers, some: Numbers) -> Flags:
    """Return which of ``times`` are in ``some``, which ascends and is short."""
    if not len(some):
        return np.zeros(len(times), np.bool_)
    places = np.minimum(np.searchsorted(some, times), len(some) - 1)
    among: Flags = some[places] == times
    return among
