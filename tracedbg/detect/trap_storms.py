"""Harts whose trap handler traps, again and again, up to the end."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.ids import VirtualAddress
from tracedbg.kernel.view import KernelView
from tracedbg.query.rows import Rows

FEWEST = 8
"""Traps that make a storm."""
APART = 256
"""Instructions between two traps of a storm at most, those of all harts."""


@dataclass(frozen=True)
class Storm:
    """``count`` traps of a hart at ``pc``, at most ``apart`` instructions between two.

    ``first`` is the TRAP row of the one that led to them.
    """

    first: np.void
    count: int
    pc: VirtualAddress
    apart: int


def find_storms(view: KernelView) -> list[Storm]:
    """Return for each hart the storm with which its recording ends."""
    return list(_iter_storms(view))


def _iter_storms(view: KernelView) -> Iterator[Storm]:
    faults = view.trap_outcomes.faults
    for hart in np.unique(faults["hart"]).tolist():
        traps = view.index.traps
        storm = _storm_at_end(view, traps[traps["hart"] == hart])
        if storm is not None:
            yield storm


def _storm_at_end(view: KernelView, rows: Rows) -> Storm | None:
    """Return the storm of a hart's last traps: same place, same cause, and taken in the handler."""
    last = rows[-1]
    same = (rows["epc"] == last["epc"]) & (rows["cause"] == last["cause"])
    same &= rows["source"] == rows["target"]
    broken = np.flatnonzero(~same)
    begin = int(broken[-1]) + 1 if len(broken) else 0
    if len(rows) - begin < FEWEST:
        return None
    gaps, count = np.diff(rows["t"][begin:]), len(rows) - begin
    resume = view.index.traps_resume
    if resume is not None and rows["t"][begin] < resume:
        # Those that were left out are taken to be like their neighbours on both sides.
        gaps = np.delete(gaps, int(np.searchsorted(rows["t"][begin:], resume)) - 1)
        count += int(view.index.traps_left_out[last["hart"]])
    if int(gaps.max()) > APART or view.trace.end - int(last["t"]) > APART:
        return None
    first = rows[begin - 1] if begin and rows["t"][begin] - rows["t"][begin - 1] <= APART else rows[begin]
    return Storm(first, count, VirtualAddress(int(last["epc"])), int(gaps.max()))
