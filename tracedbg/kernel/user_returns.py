"""When harts came back to user mode, and where."""

import numpy as np

from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query.rows import Rows, join
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers, Numbers

USER_RETURN = np.dtype([("t", "<i8"), ("hart", "<u2"), ("pc", "<u8")])
"""From moment ``t`` on the hart is in user mode, at ``pc``. A trap may come before anything runs there."""

UNKNOWN_PRIVILEGE = -1
KERNEL = 1
"""Stands for any privilege but the user's."""


def user_returns(index: TraceIndex) -> Rows:
    """Return the USER_RETURN rows of a whole trace in order of t; costs about 1 ms an epoch."""
    last = [UNKNOWN_PRIVILEGE] * index.trace.guest.harts
    parts = []
    for number in range(index.trace.epochs):
        epoch = index.trace.epoch(number)
        if not _has_user_mode(epoch):
            _put_kernel(epoch, last)
            continue
        found = [_of_hart(index, epoch, hart, last) for hart in range(len(last))]
        rows = join(found, USER_RETURN)
        parts.append(rows[np.argsort(rows["t"], kind="stable")])
    return join(parts, USER_RETURN)


def _has_user_mode(epoch: EpochData) -> bool:
    return bool((epoch.blocks.privilege[epoch.run_block] == 0).any() or (epoch.traps.source == 0).any())


def _put_kernel(epoch: EpochData, last: list[int]) -> None:
    """Put in that the harts that ran in an epoch without user mode were in the kernel."""
    first, harts = epoch.turns
    if all(last[hart] == KERNEL for hart in np.unique(harts).tolist()):
        return
    bounds = epoch.run_start[np.append(first, len(epoch.run_block)).astype(np.int64)]
    for hart in np.unique(harts[np.diff(bounds) > 0]).tolist():
        last[hart] = KERNEL


def _of_hart(index: TraceIndex, epoch: EpochData, hart: int, last: list[int]) -> Rows:
    """Return the rows of one hart in an epoch; ``last`` holds each hart's last privilege, in and out."""
    starts = epoch.run_start
    own = np.flatnonzero(np.diff(starts) > 0)
    if len(last) > 1:
        own = own[epoch.hart_of_runs(own) == hart]
    privilege = epoch.blocks.privilege[epoch.run_block[own]].astype(np.int64)
    before = np.concatenate([[last[hart]], privilege])
    entered = np.flatnonzero((privilege == 0) & (before[:-1] > 0))
    ran = _rows(starts[own[entered]] + epoch.start, hart, epoch.blocks.virtual[epoch.run_block[own[entered]]])
    at_once = _trapped_at_once(index, epoch, hart, starts[own], before)
    last[hart] = int(before[-1])
    return np.concatenate([ran, at_once]) if len(at_once) else ran


def _trapped_at_once(
    index: TraceIndex, epoch: EpochData, hart: int, starts: Integers, before: Integers
) -> Rows:
    """Return the returns after which a trap came before an instruction of user mode ran."""
    low, high = np.searchsorted(index.traps["t"], [epoch.start, epoch.end])
    traps = index.traps[low:high]
    traps = traps[(traps["hart"] == hart) & (traps["source"] == 0)]
    # The handler's first instruction begins a run, so what ran before it is one run back.
    privilege = before[np.searchsorted(starts, traps["t"] - epoch.start, "left")]
    unseen: Flags = privilege > 0
    return _rows(traps["t"][unseen], hart, traps["epc"][unseen])


def _rows(times: Integers, hart: int, pc: Numbers) -> Rows:
    rows = np.empty(len(times), USER_RETURN)
    rows["t"], rows["hart"], rows["pc"] = times, hart, pc
    return rows
