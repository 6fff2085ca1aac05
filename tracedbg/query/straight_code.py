"""Since when a hart has gone from one instruction to the one behind it."""

import numpy as np

from tracedbg.ids import Hart, Time
from tracedbg.query.moments import executed_at, last_of_hart
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Integers, Numbers
from tracedbg.store.trace import Trace


def straight_since(trace: Trace, t: Time) -> Time:
    """Return the first instruction of the straight code that the hart which runs at ``t`` is in then.

    The hart's instruction before that one was elsewhere: control came by a jump, a trap, or a return from
    one. A trap to the instruction behind is no such place. ValueError where nothing runs at ``t``.
    """
    executed = executed_at(trace, t)
    if executed is None:
        raise ValueError(f"no instruction runs at t {t}")
    while True:
        epoch = trace.epoch(trace.epoch_of(t))
        runs = _runs_up_to(epoch, t - epoch.start, executed.hart)
        starts, ends = _bounds(epoch, runs)
        entered = np.flatnonzero(starts[1:] != ends[:-1]) + 1
        if len(entered):
            return Time(epoch.start + int(epoch.run_start[runs[entered[-1]]]))
        first = Time(epoch.start + int(epoch.run_start[runs[0]]))
        before = last_of_hart(trace, executed.hart, first)
        if before is None or _end_of(trace, before) != int(starts[0]):
            return first
        t = before


def _runs_up_to(epoch: EpochData, offset: int, hart: Hart) -> Integers:
    runs = np.arange(epoch.run_at(offset) + 1)
    started = np.diff(epoch.run_start)[: len(runs)] > 0
    own: Integers = runs[started & (epoch.hart_of_runs(runs) == hart)]
    return own


def _bounds(epoch: EpochData, runs: Integers) -> tuple[Numbers, Numbers]:
    """Return the address of each run's first instruction, and the one behind its last."""
    blocks = epoch.blocks
    first = blocks.first[epoch.run_block[runs]]
    last = first + (epoch.run_start[runs + 1] - epoch.run_start[runs]) - 1
    return blocks.address[first], blocks.address[last] + blocks.length[last]


def _end_of(trace: Trace, t: Time) -> int:
    executed = executed_at(trace, t)
    assert executed is not None
    return executed.pc + int(trace.blocks.length[executed.instruction])
