"""Harts whose trap handler traps itself, once or again and again, some up to the end."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.ids import VirtualAddress
from tracedbg.kernel.view import KernelView
from tracedbg.query.rows import Rows
from tracedbg.state.traps import Trap

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


@dataclass(frozen=True)
class Cascade:
    """Traps of a hart each of which came in the handler of the one before, ``first`` being a TRAP row.

    ``count`` are those that the handler took itself, at most ``apart`` instructions apart.
    """

    first: np.void
    count: int
    apart: int


def cascade_before(view: KernelView, trap: Trap) -> Cascade | None:
    """Return the cascade that ends with a trap; None where that came in no handler of another one."""
    faults = view.trap_outcomes.faults
    rows = faults[(faults["hart"] == trap.hart) & (faults["t"] <= trap.t)]
    nested = (rows["source"][1:] == rows["target"][:-1]) & (np.diff(rows["t"]) <= APART)
    broken = np.flatnonzero(~nested)
    first = int(broken[-1]) + 1 if len(broken) else 0
    # What was returned from is over: what comes next is a trap of its own.
    returned = np.flatnonzero(view.trap_outcomes.have_returned(rows[first:-1]))
    first += int(returned[-1]) + 1 if len(returned) else 0
    if first >= len(rows) - 1:
        return None
    return Cascade(rows[first], len(rows) - 1 - first, int(np.diff(rows["t"][first:]).max()))


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
