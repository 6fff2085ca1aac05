"""The last of some instructions that a hart ran, found from the end of time backwards."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tracedbg.format.schema import NEVER
from tracedbg.ids import Epoch, Hart, Time
from tracedbg.query.results import retired
from tracedbg.store.blocks import BlockTable, prefix_sum
from tracedbg.store.epoch import EpochData, Instructions
from tracedbg.store.source import Flags, Integers
from tracedbg.store.trace import Trace

_FIRST_RUNS = 64
_GROWTH = 8


@dataclass(frozen=True)
class Chosen:
    """Instructions of the block dictionary that ``hart`` is asked for.

    ``flags`` has a row for each instruction of the whole dictionary, ``holds`` tells the blocks with one.
    """

    hart: Hart
    flags: Flags
    holds: Flags

    @classmethod
    def of(cls, hart: Hart, blocks: BlockTable, flags: Flags) -> "Chosen":
        """Return the choice of ``flags`` in a table of the whole dictionary."""
        return cls(hart, flags, np.diff(prefix_sum(flags)[blocks.first]) > 0)


class Passed(NamedTuple):
    """An epoch on the way back; its instructions count before offset ``stop``.

    ``may_run`` is false where the spans tell that none of the chosen instructions ran.
    """

    epoch: EpochData
    stop: int
    may_run: bool


def iter_back(trace: Trace, chosen: Chosen, t: Time) -> Iterator[Passed]:
    """Yield the epochs in which the hart ran before ``t``, and the one of ``t``, the newest first."""
    index = int(trace.epoch_of(t))
    blocks = np.flatnonzero(chosen.holds)
    candidates = trace.spans.candidates(0, index + 1, lambda span: span.executes(blocks), reverse=True)
    candidate = next(candidates, -1)
    while True:
        while candidate > index:
            candidate = next(candidates, -1)
        epoch = trace.epoch(Epoch(index))
        yield Passed(epoch, min(t - epoch.start, epoch.length), candidate == index)
        last = int(epoch.last_t[chosen.hart])
        if last == NEVER or last < trace.start:
            return
        # What a hart that runs again finds is told in the epoch before, even if the hart did not run there.
        ran = chosen.hart in epoch.turns[1]
        index = index - 1 if ran else min(index - 1, int(trace.epoch_of(Time(last))))


def last_in(trace: Trace, passed: Passed, chosen: Chosen, oldest: int = 0) -> Instructions:
    """Return the last chosen instruction from offset ``oldest`` on that retired, as one row or none.

    Runs are looked at in stretches that grow, for most often the last few hold it.
    """
    epoch, stop = passed.epoch, passed.stop
    none = epoch.instructions(0, 0)
    if not passed.may_run or stop <= max(oldest, 0):
        return none
    upper, lower = epoch.run_at(stop - 1) + 1, epoch.run_at(max(oldest, 0))
    size = _FIRST_RUNS
    while upper > lower:
        first = max(upper - size, lower)
        rows = _rows_of(epoch, np.arange(first, upper), chosen)
        rows = rows.select((rows.t < stop) & (rows.t >= oldest))
        rows = retired(trace, epoch, rows)
        if len(rows.t):
            return rows.select(np.arange(len(rows.t)) == len(rows.t) - 1)
        upper, size = first, size * _GROWTH
    return none


def _rows_of(epoch: EpochData, runs: Integers, chosen: Chosen) -> Instructions:
    runs = runs[chosen.holds[epoch.run_block[runs]]]
    runs = runs[epoch.hart_of_runs(runs) == chosen.hart]
    rows = epoch.instructions_of_runs(runs)
    return rows.select(chosen.flags[rows.instruction])


def last_chosen(trace: Trace, hart: Hart, t: Time, flags: Flags) -> Time | None:
    """Return when a hart last started, before ``t``, one of the instructions of ``flags`` that retired.

    ``flags`` has a row for each instruction of the whole block dictionary. An instruction whose outcome
    is not known counts as retired.
    """
    chosen = Chosen.of(hart, trace.blocks, flags)
    for passed in iter_back(trace, chosen, t):
        rows = last_in(trace, passed, chosen)
        if len(rows.t):
            return Time(passed.epoch.start + int(rows.t[0]))
    return None
