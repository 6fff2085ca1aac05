"""What a hart's stack pointer held in an epoch, and which of its changes are no pushes or pops."""

from dataclasses import dataclass

import numpy as np

from tracedbg.arch.stack_code import PointerWrite, Registers
from tracedbg.format.schema import NEVER
from tracedbg.ids import Hart
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import own_before
from tracedbg.query.rows import Rows
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers, Numbers

RAISED_WITHIN = 8
"""Instructions after a change of stacks in which the size of the new one may be added."""


@dataclass(frozen=True)
class PointerHistory:
    """From each absolute moment ``t`` on, ascending, the stack pointer holds ``value``, if ``known``.

    ``opening`` is its value at the epoch's first moment, None where that is unknown. ``is_set`` tells the
    changes that are neither push nor pop, ``is_raise`` those that go up right after such a change: kernels
    take the lowest address of a stack and add its size. ``by_frame_pointer`` tells those that come from the
    frame pointer.
    """

    opening: int | None
    t: Integers
    value: Numbers
    known: Flags
    is_set: Flags
    is_raise: Flags
    by_frame_pointer: Flags

    def at(self, times: Integers) -> tuple[Numbers, Flags]:
        """Return the values at absolute moments, and which of them are known."""
        places = np.searchsorted(self.t, times, "right")
        values = np.concatenate([[np.uint64(self.opening or 0)], self.value])
        known = np.concatenate([[self.opening is not None], self.known])
        return values[places], known[places]


def pointer_history(index: TraceIndex, epoch: EpochData, hart: Hart) -> PointerHistory:
    """Return the history of a hart's stack pointer in an epoch."""
    track = index.track(index.sp_name)
    if track is None:
        nothing = np.empty(0, np.int64)
        return PointerHistory(None, nothing, nothing.view(np.uint64), *[nothing > 0] * 4)
    rows = track.writes(epoch.index)
    rows = rows[rows["hart"] == hart]
    kind, superseded = _kinds(index, epoch, hart, rows)
    rows, kind = rows[~superseded], kind[~superseded]
    is_set = kind != PointerWrite.FRAME
    times = rows["t"].astype(np.int64)
    opening = track.opening(epoch.index, hart)
    is_raise = _raises(own_before(epoch, hart, times - epoch.start), rows["value"], is_set)
    by_frame_pointer = kind == PointerWrite.FRAME_POINTER
    return PointerHistory(opening, times, rows["value"], rows["known"], is_set, is_raise, by_frame_pointer)


def _raises(clock: Integers, values: Numbers, is_set: Flags) -> Flags:
    """Return which changes go up soon after one that is set, with none that goes down in between.

    ``clock`` is how many instructions the hart had started. There may be several such changes: what a hart's
    number times the size of a stack adds may be nothing.
    """
    if not len(clock):
        return is_set
    places = np.arange(len(clock))
    latest = np.maximum.accumulate(np.where(is_set, places, -1))
    up, down = np.zeros(len(clock), np.bool_), np.zeros(len(clock), np.bool_)
    up[1:], down[1:] = values[1:] > values[:-1], values[1:] < values[:-1]
    downs = np.cumsum(down & ~is_set)
    soon = (latest >= 0) & (clock - clock[np.maximum(latest, 0)] <= RAISED_WITHIN)
    found: Flags = ~is_set & up & soon & (downs == downs[np.maximum(latest, 0)])
    return found


def _kinds(index: TraceIndex, epoch: EpochData, hart: Hart, rows: Rows) -> tuple[Registers, Flags]:
    """Return the PointerWrite of each row, and which are the first half of a constant.

    Of an address that is made in two steps, high and low part, only the second row counts.
    """
    kind = np.where(rows["known"], PointerWrite.FRAME, PointerWrite.SET).astype(np.uint8)
    superseded = np.zeros(len(rows), np.bool_)
    made = np.flatnonzero(rows["instruction"] != NEVER)
    if not len(made):
        return kind, superseded
    offsets = rows["instruction"][made].astype(np.int64) - epoch.start
    runs = np.searchsorted(epoch.run_start, offsets, "right") - 1
    instructions = epoch.blocks.first[epoch.run_block[runs]] + offsets - epoch.run_start[runs]
    kind[made] = np.where(rows["known"][made], index.stack_code.pointer[instructions], PointerWrite.SET)
    constant = made[index.is_constant[instructions]]
    constant = constant[constant + 1 < len(rows)]
    clock = np.full(len(rows), -1, np.int64)
    clock[made] = own_before(epoch, hart, offsets)
    first = constant[clock[constant + 1] == clock[constant] + 1]
    superseded[first] = True
    kind[first + 1] = PointerWrite.SET
    return kind, superseded
