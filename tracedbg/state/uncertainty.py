"""Which bytes may have changed already without the trace having noticed.

Memory that a device wrote by itself shows in a trace when a load first brings it: the change row holds from
that t on, but the change happened at some time after its ``since``. The rule, for a byte at moment t: take
the changes of cause DMA or UNEXPLAINED to its frame, in the epoch of t and in the next later epoch in which
its frame is touched at all. The byte is not known if one of them gives it another value than it seems to
have, since <= t < t of the change, and no instruction from t up to there loads or stores the byte. All other
causes happen at the t that they hold from.
"""

from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.schema import PAGE_SIZE, Cause
from tracedbg.ids import PhysicalAddress, Time
from tracedbg.query import Kind, accesses
from tracedbg.query.rows import Rows
from tracedbg.store.epoch import EpochData
from tracedbg.store.spans import SpanData
from tracedbg.store.trace import Trace

_UNNOTICED = np.array([Cause.DMA, Cause.UNEXPLAINED], np.uint8)

Flags = NDArray[np.bool_]


def unproven(trace: Trace, start: int, t: Time, content: NDArray[np.uint8]) -> Flags:
    """Return which bytes from ``start`` on may differ at ``t`` from ``content``, what they seem to be.

    They lie in one frame, and are whole words of eight bytes.
    """
    here = trace.epoch_of(t)
    uncertain = np.zeros(len(content), np.bool_)
    for index in (here, _next_touching(trace, here + 1, start // PAGE_SIZE * PAGE_SIZE)):
        if index is not None:
            epoch = trace.epoch(index)
            for row in _changes(epoch, (start, start + len(content)), t).tolist():
                offset = int(epoch.accesses.changes.physical[row]) - start
                place = slice(offset, offset + 8)
                uncertain[place] |= _unproven_by(trace, epoch, row, t, content[place])
    return uncertain


def _next_touching(trace: Trace, first: int, start: int) -> int | None:
    """Return the next epoch that touches a frame; kept, since every moment of an epoch asks the same."""
    kept = trace.kept(("next touching", first, start), lambda: _find_touching(trace, first, start))
    return int(kept[0]) if len(kept) else None


def _find_touching(trace: Trace, first: int, start: int) -> NDArray[np.int64]:
    def hit(span: SpanData) -> bool:
        return span.writes(start, start + PAGE_SIZE) or span.reads(start, start + PAGE_SIZE)

    return np.array(list(islice(trace.spans.candidates(first, trace.epochs, hit), 1)), np.int64)


def _changes(epoch: EpochData, where: tuple[int, int], t: Time) -> NDArray[np.int64]:
    """Return the rows of ``changes`` that may have happened before ``t`` and hold from later on."""
    changes = epoch.accesses.changes
    if not len(changes.t):
        return np.empty(0, np.int64)
    inside = (changes.physical >= np.uint64(where[0])) & (changes.physical < np.uint64(where[1]))
    unnoticed = np.isin(changes.cause, _UNNOTICED) & inside
    later = changes.t.astype(np.int64) + epoch.start > t
    return np.flatnonzero(unnoticed & later & (changes.since <= np.uint64(t)))


def _unproven_by(trace: Trace, epoch: EpochData, row: int, t: Time, content: NDArray[np.uint8]) -> Flags:
    """Return which of the eight bytes of a change may have had its value at ``t`` already."""
    changes = epoch.accesses.changes
    new = np.frombuffer(int(changes.value[row]).to_bytes(8, "little"), np.uint8)
    differs: Flags = new != content
    if not differs.any():
        return differs
    physical = PhysicalAddress(int(changes.physical[row]))
    between = (t, Time(epoch.start + int(changes.t[row])))
    rows = accesses(trace, (physical, 8), between=between, kind=Kind.LOAD | Kind.STORE)
    uncertain: Flags = differs & ~_touched(rows, physical)
    return uncertain


def _touched(rows: Rows, physical: int) -> Flags:
    """Return which of the eight bytes from ``physical`` on an access touches."""
    bytes_of = np.arange(8)
    address = np.uint64(physical) + bytes_of.astype(np.uint64)
    touched = np.zeros(8, np.bool_)
    for row in rows:
        start, size = row["physical"], row["size"].astype(np.uint64)
        first = min(int(size), PAGE_SIZE - int(start) % PAGE_SIZE)
        touched |= (address >= start) & (address < start + np.uint64(first))
        rest = np.uint64(int(size) - first)
        touched |= (address >= row["second"]) & (address - row["second"] < rest)
    return touched
