"""Stretches of time in which a hart's stack pointer moves by pushes and pops alone."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

import numpy as np

from tracedbg.disasm import Flow
from tracedbg.format.schema import NEVER
from tracedbg.ids import Epoch, Hart, Time
from tracedbg.kernel.pointer_history import PointerHistory, pointer_history
from tracedbg.kernel.trace_index import TraceIndex, has_flow
from tracedbg.query import executed_at, has_retired, own_before
from tracedbg.query.rows import Rows
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers, Numbers


class Begin(IntEnum):
    """What begins a stint; at one moment they happen in this order."""

    START = 0
    """The epoch, or the first instruction of a hart in it."""
    SET = 1
    """An instruction set the stack pointer by something else than a push or a pop."""
    FRAME_POINTER = 2
    """The stack pointer was made from the frame pointer."""
    RAISE = 3
    """The stack pointer went up right after it was set."""
    SPACE = 4
    """The address space changed, below a stack pointer that is another stack's in each of them."""
    RETURN = 5
    """A return from a trap."""
    TRAP = 6
    """A trap; the stint begins with the handler."""


CHANGES = (Begin.SET, Begin.FRAME_POINTER, Begin.RAISE)
"""What an instruction does to the stack pointer."""
BY_INSTRUCTION = (*CHANGES, Begin.SPACE)

STINT = np.dtype(
    [
        ("t", "<i8"), ("stop", "<i8"), ("hart", "<u2"), ("begin", "u1"), ("privilege", "u1"),
        ("source", "u1"), ("known", "?"), ("own", "<i8"), ("backing", "<i8"),
        ("first", "<u8"), ("low", "<u8"), ("high", "<u8"), ("last", "<u8"),
    ]
)  # fmt: skip
"""A stint by absolute moments ``t`` to ``stop``: what the stack pointer was at first, its lowest and highest
value, and the last one. ``source`` is the privilege that a trap came from, else the stint's own, and ``own``
the number of instructions that its hart started in it. ``backing`` tells stacks at the same addresses apart.
Where the stack pointer is not ``known`` the values are 0."""


@dataclass(frozen=True)
class _Edges:
    """Where stints begin, in order of absolute ``t``, then of ``begin``; privileges are those of traps."""

    t: Integers
    begin: Integers
    source: Integers
    target: Integers


@dataclass(frozen=True)
class _HartRuns:
    """The runs of one hart that started instructions: absolute start, block, privilege."""

    hart: Hart
    t: Integers
    block: Numbers
    privilege: Numbers
    is_whole: Flags


class Aliases(Protocol):
    """Stack addresses that are those of another stack in each address space."""

    def switches(self, epoch: Epoch | int, hart: Hart) -> Integers:
        """Return the absolute moments from which a hart uses another address space."""

    def backings(self, epoch: Epoch | int, hart: Hart, times: Integers, pointers: Numbers) -> Integers:
        """Return what tells the stacks apart that a hart's stack pointer was in; 0 for all other stacks."""


def stints_of(index: TraceIndex, number: Epoch | int, aliases: Aliases | None = None) -> Rows:
    """Return the stints of an epoch, of all harts, in order of t."""
    epoch = index.trace.epoch(number)
    parts = [_of_hart(index, epoch, Hart(hart), aliases) for hart in range(index.trace.guest.harts)]
    rows = np.concatenate(parts)
    return rows[np.argsort(rows["t"], kind="stable")] if len(parts) > 1 else rows


def _of_hart(index: TraceIndex, epoch: EpochData, hart: Hart, aliases: Aliases | None) -> Rows:
    runs = _runs_of(epoch, hart)
    if not len(runs.t):
        return np.empty(0, STINT)
    pointer = pointer_history(index, epoch, hart)
    switches = np.empty(0, np.int64) if aliases is None else aliases.switches(epoch.index, hart)
    edges = _edges(index, epoch, runs, pointer, switches)
    found = np.empty(len(edges.t), STINT)
    found["t"], found["begin"], found["hart"] = edges.t, edges.begin, hart
    found["stop"] = np.append(edges.t[1:], epoch.end)
    found["own"] = np.diff(own_before(epoch, hart, np.append(edges.t, epoch.end) - epoch.start))
    _put_privileges(found, runs, edges)
    _put_values(found, pointer)
    found["backing"] = 0
    if aliases is not None:
        kernel = np.flatnonzero(found["known"] & (found["privilege"] != 0))
        times, pointers = found["t"][kernel], found["first"][kernel]
        found["backing"][kernel] = aliases.backings(epoch.index, hart, times, pointers)
    return found


def _runs_of(epoch: EpochData, hart: Hart) -> _HartRuns:
    starts = epoch.run_start
    started = np.diff(starts)
    own = np.flatnonzero(started > 0)
    own = own[epoch.hart_of_runs(own) == hart]
    block = epoch.run_block[own]
    whole = started[own] == epoch.blocks.instructions[block]
    privilege = epoch.blocks.privilege[block]
    return _HartRuns(hart, starts[own] + epoch.start, block, privilege, whole)


def _edges(
    index: TraceIndex, epoch: EpochData, runs: _HartRuns, pointer: PointerHistory, switches: Integers
) -> _Edges:
    traps = epoch.traps
    own = traps.hart == runs.hart
    moments = {
        Begin.START: runs.t[:1],
        Begin.SET: pointer.t[pointer.is_set & ~pointer.by_frame_pointer],
        Begin.FRAME_POINTER: pointer.t[pointer.by_frame_pointer],
        Begin.RAISE: pointer.t[pointer.is_raise],
        Begin.SPACE: switches,
        Begin.RETURN: _returns(index, epoch, runs),
        Begin.TRAP: traps.t[own].astype(np.int64) + epoch.start,
    }
    t = np.concatenate(list(moments.values()))
    begin = np.repeat([int(kind) for kind in moments], [len(part) for part in moments.values()])
    source, target = np.zeros(len(t), np.int64), np.zeros(len(t), np.int64)
    source[begin == Begin.TRAP], target[begin == Begin.TRAP] = traps.source[own], traps.target[own]
    order = np.lexsort((begin, t))
    return _Edges(t[order], begin[order], source[order], target[order])


def _returns(index: TraceIndex, epoch: EpochData, runs: _HartRuns) -> Integers:
    """Return the first moments after returns from traps."""
    returning = has_flow(index.block_flow[runs.block], Flow.TRAP_RETURN) & runs.is_whole
    stops = runs.t + epoch.blocks.instructions[runs.block]
    returning &= ~np.isin(stops - 1 - epoch.start, epoch.unretired)
    following = np.flatnonzero(returning[:-1]) + 1
    if _ended_with_return(index, epoch, runs.hart):
        following = np.insert(following, 0, 0)
    return runs.t[following]


def _ended_with_return(index: TraceIndex, epoch: EpochData, hart: Hart) -> bool:
    """Say whether a hart's last instruction before an epoch was a return from a trap."""
    last = int(epoch.last_t[hart])
    if last == NEVER:
        return False
    executed = executed_at(index.trace, Time(last))
    assert executed is not None
    is_end = executed.instruction == epoch.blocks.first[executed.block + 1] - 1
    flow = index.block_flow[executed.block : executed.block + 1]
    return bool(is_end) and bool(has_flow(flow, Flow.TRAP_RETURN)[0]) and has_retired(index.trace, Time(last))


def _put_privileges(found: Rows, runs: _HartRuns, edges: _Edges) -> None:
    """Put in at which privilege each stint runs and where it came from, in place."""
    places = np.searchsorted(runs.t, edges.t, "right") - 1
    # What an instruction set belongs to that instruction, not to the one that starts at the moment.
    is_set = np.isin(edges.begin, BY_INSTRUCTION)
    places[is_set] = np.searchsorted(runs.t, edges.t[is_set], "left") - 1
    privilege = runs.privilege[np.maximum(places, 0)]
    is_trap = edges.begin == Begin.TRAP
    privilege[is_trap] = edges.target[is_trap]
    returned = np.flatnonzero(edges.begin[:-1] == Begin.RETURN)
    at_once = returned[(edges.t[returned] == edges.t[returned + 1]) & is_trap[returned + 1]]
    privilege[at_once] = edges.source[at_once + 1]
    found["privilege"] = privilege
    found["source"] = np.where(is_trap, edges.source, privilege)


def _put_values(found: Rows, pointer: PointerHistory) -> None:
    """Put in what the stack pointer was, in place."""
    values = np.concatenate([[np.uint64(pointer.opening or 0)], pointer.value])
    known = np.concatenate([[pointer.opening is not None], pointer.known])
    # Value 0 is the opening, so this finds the one that holds at each moment.
    start = np.searchsorted(pointer.t, found["t"], "right")
    following = np.append(start[1:], len(values) - 1)
    is_set = np.append(np.isin(found["begin"][1:], CHANGES), False)
    found["known"], found["first"] = known[start], values[start]
    found["last"] = values[np.maximum(following - is_set, start)]
    low, high = np.minimum.reduceat(values, start), np.maximum.reduceat(values, start)
    found["low"], found["high"] = np.minimum(low, found["last"]), np.maximum(high, found["last"])
