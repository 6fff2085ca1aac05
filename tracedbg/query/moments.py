"""What runs at a moment: the hart, the instruction, its privilege."""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import NEVER
from tracedbg.ids import Block, Epoch, Hart, Time, VirtualAddress
from tracedbg.store.epoch import EpochData
from tracedbg.store.trace import Trace


@dataclass(frozen=True)
class Executed:
    """The instruction that starts at ``t``; ``instruction`` is its index in the block table."""

    t: Time
    hart: Hart
    pc: VirtualAddress
    privilege: int
    block: Block
    instruction: int


def executed_at(trace: Trace, t: Time) -> Executed | None:
    """Return the instruction that starts at ``t``, None at the trace's end; ValueError outside the trace."""
    epoch = trace.epoch(trace.epoch_of(t))
    offset = t - epoch.start
    if offset >= epoch.length:
        return None
    run = epoch.run_at(offset)
    block = int(epoch.run_block[run])
    instruction = int(epoch.blocks.first[block]) + offset - int(epoch.run_start[run])
    return Executed(
        t=t,
        hart=Hart(int(epoch.hart_of_runs(np.array([run]))[0])),
        pc=VirtualAddress(int(epoch.blocks.address[instruction])),
        privilege=int(epoch.blocks.privilege[block]),
        block=Block(block),
        instruction=instruction,
    )


def hart_at(trace: Trace, t: Time) -> Hart | None:
    """Return the hart that runs at ``t``; at the trace's end the one that ran last, None if none ever ran."""
    executed = executed_at(trace, t)
    if executed is None and t > trace.start:
        executed = executed_at(trace, Time(t - 1))
    return None if executed is None else executed.hart


def pc_at(trace: Trace, t: Time, hart: Hart | None = None) -> VirtualAddress | None:
    """Return the address of the instruction that starts at ``t``, or that ``hart`` starts next.

    None at the trace's end, and for a hart that does not run again.
    """
    at = t if hart is None else next_of_hart(trace, hart, t)
    executed = None if at is None else executed_at(trace, at)
    return None if executed is None else executed.pc


def privilege_at(trace: Trace, t: Time, hart: Hart | None = None) -> int | None:
    """Return the privilege of the instruction that ``pc_at`` finds: 0 user, 1 supervisor, 3 machine."""
    at = t if hart is None else next_of_hart(trace, hart, t)
    executed = None if at is None else executed_at(trace, at)
    return None if executed is None else executed.privilege


def next_of_hart(trace: Trace, hart: Hart, t: Time) -> Time | None:
    """Return the first t' >= t at which an instruction of ``hart`` starts."""
    index = trace.epoch_of(t)
    epoch = trace.epoch(index)
    found = _next_in(epoch, hart, t - epoch.start)
    if found is not None:
        return Time(epoch.start + found)
    later = find_epoch_after(trace, hart, index + 1)
    if later is None:
        return None
    found = _next_in(trace.epoch(later), hart, 0)
    return None if found is None else Time(int(trace.epoch_starts[later]) + found)


def last_of_hart(trace: Trace, hart: Hart, t: Time) -> Time | None:
    """Return the last t' < t at which an instruction of ``hart`` started."""
    epoch = trace.epoch(trace.epoch_of(t))
    starts, stops = stretches(epoch, hart)
    before = starts < t - epoch.start
    if before.any():
        return Time(epoch.start + min(int(stops[before][-1]), t - epoch.start) - 1)
    last = int(epoch.last_t[hart])
    return None if last == NEVER else Time(last)


def stretches(epoch: EpochData, hart: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the offsets at which a hart's turns start and stop, in order, leaving out empty ones."""
    runs, harts = epoch.turns
    starts = epoch.run_start[runs]
    stops = np.append(starts[1:], epoch.length)
    own = (harts == hart) & (stops > starts)
    return starts[own], stops[own]


def _next_in(epoch: EpochData, hart: int, offset: int) -> int | None:
    starts, stops = stretches(epoch, hart)
    later = stops > offset
    return max(int(starts[later][0]), offset) if later.any() else None


def find_epoch_after(trace: Trace, hart: int, first: int) -> int | None:
    """Return the first epoch from ``first`` on in which a hart runs.

    Each epoch tells the hart's last t before it, so the answer is found by halving.
    """
    low, high = first, trace.epochs
    while low < high:
        middle = (low + high) // 2
        if _ran_between(trace, hart, first, middle + 1):
            high = middle
        else:
            low = middle + 1
    return low if low < trace.epochs else None


def _ran_between(trace: Trace, hart: int, first: int, stop: int) -> bool:
    """Say whether a hart ran in the epochs first to stop."""
    if stop == trace.epochs:
        epoch = trace.epoch(Epoch(stop - 1))
        if _next_in(epoch, hart, 0) is not None:
            return True
        stop -= 1
    if stop <= first:
        return False
    last = int(trace.epoch(Epoch(stop)).last_t[hart])
    return last != NEVER and last >= int(trace.epoch_starts[first])
