"""Where control went deeper and came back in an epoch: calls, returns, traps and returns from traps."""

from dataclasses import dataclass

import numpy as np

from tracedbg.disasm import Flow
from tracedbg.ids import Epoch, Hart
from tracedbg.kernel.trace_index import TraceIndex, has_flow
from tracedbg.store.epoch import EpochData
from tracedbg.store.source import Flags, Integers, Numbers

STACK_LIMIT = 1 << 18
"""How far above the present sp its own stack can reach, in bytes; what is further up is another stack."""


@dataclass(frozen=True)
class FlowEvents:
    """Events of one hart in order: absolute ``t`` of the instruction, change of depth, sp, privilege."""

    t: Integers
    change: Integers
    sp: Numbers
    privilege: Numbers

    def select(self, rows: Flags) -> "FlowEvents":
        """Return the events where ``rows`` is true."""
        return FlowEvents(self.t[rows], self.change[rows], self.sp[rows], self.privilege[rows])

    def reversed(self) -> "FlowEvents":
        """Return the events, newest first."""
        return FlowEvents(self.t[::-1], self.change[::-1], self.sp[::-1], self.privilege[::-1])

    def above(self, sp: int, privilege: int) -> Flags:
        """Return which events happened at ``sp`` or above it, in the same stack and privilege.

        Traps from lower privileges and returns to them count as well, wherever sp is then.
        """
        height = self.sp - np.uint64(sp)
        inside: Flags = (height < np.uint64(STACK_LIMIT)) & (self.privilege == privilege)
        inside |= self.privilege < privilege
        return inside


def events_of(index: TraceIndex, number: Epoch, hart: Hart) -> FlowEvents:
    """Return the events of a hart in an epoch."""
    epoch = index.trace.epoch(number)
    pairs = zip(_run_ends(index, epoch, hart), _trap_entries(index, epoch, hart), strict=True)
    t, change, privilege, live = (np.concatenate(pair) for pair in pairs)
    order = np.argsort(t, kind="stable")
    track = index.track(index.sp_name)
    sp = np.zeros(len(t), np.uint64) if track is None else track.values_at(number, hart, live)[0]
    return FlowEvents(t[order], change[order], sp[order], privilege[order])


_Columns = tuple[Integers, Integers, Numbers, Integers]
"""t, change of depth, privilege, and the moment whose sp counts."""


def _run_ends(index: TraceIndex, epoch: EpochData, hart: Hart) -> _Columns:
    """Calls and returns that retired: the last instruction of runs that started all of their block."""
    starts, block = epoch.run_start, epoch.run_block
    flows = index.block_flow[block]
    wanted = (flows & (Flow.CALL | Flow.RETURN | Flow.TRAP_RETURN).value) != 0
    wanted &= np.diff(starts) == epoch.blocks.instructions[block]
    runs = np.flatnonzero(wanted)
    runs = runs[epoch.hart_of_runs(runs) == hart] if len(runs) else runs
    t = starts[runs + 1] - 1
    retired = ~np.isin(t, epoch.unretired)
    t, runs = t[retired], runs[retired]
    calls = has_flow(flows[runs], Flow.CALL) & ~has_flow(flows[runs], Flow.RETURN)
    back = ~has_flow(flows[runs], Flow.CALL)
    privilege = _privilege_after(epoch, runs, has_flow(flows[runs], Flow.TRAP_RETURN))
    return t + epoch.start, calls.astype(np.int64) - back, privilege, t + epoch.start


def _privilege_after(epoch: EpochData, runs: Integers, trap_return: Flags) -> Numbers:
    """Return the privilege of each run, for returns from traps that of what they return to."""
    privilege = epoch.blocks.privilege[epoch.run_block]
    found = privilege[runs]
    following = np.minimum(runs + 1, len(privilege) - 1)
    found[trap_return] = privilege[following[trap_return]]
    return found


def _trap_entries(index: TraceIndex, epoch: EpochData, hart: Hart) -> _Columns:
    rows = index.traps
    low, high = np.searchsorted(rows["t"], [epoch.start, epoch.end])
    rows = rows[low:high]
    rows = rows[(rows["hart"] == hart) & (rows["last"] >= 0)]
    # The instruction before the trap may lie in the epoch before; the event belongs to this one then. It may
    # have changed sp, so what counts is the sp with which the handler begins.
    times = np.maximum(rows["last"], epoch.start)
    return times, np.ones(len(rows), np.int64), rows["source"], rows["t"]
