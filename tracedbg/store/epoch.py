"""One epoch of a trace: its runs, harts, instructions, and sparse rows of state."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tracedbg.format.grouping import SEGMENT, decode_segment
from tracedbg.format.schema import EPOCH, NEVER, STATE_UNKNOWN, WRITES
from tracedbg.format.schema import Source as ValueSource
from tracedbg.ids import Time
from tracedbg.store.access import AccessTable
from tracedbg.store.blocks import BlockTable, prefix_sum
from tracedbg.store.source import (
    Flags,
    Integers,
    Numbers,
    Source,
    is_ascending,
    is_below,
    is_strictly_ascending,
)

EPOCH_LENGTH_LIMIT = 1 << 28


@dataclass(frozen=True)
class Instructions:
    """Started instructions in order: offset ``t``, ``instruction`` in the block table, and ``run``."""

    t: Integers
    instruction: Integers
    run: Integers

    def select(self, rows: Flags) -> "Instructions":
        """Return the instructions where ``rows`` is true."""
        return Instructions(self.t[rows], self.instruction[rows], self.run[rows])


@dataclass(frozen=True)
class StateRows:
    """Registers that hold a value, or an unknown one, from ``t`` (offset) on, in order: one row each."""

    t: Numbers
    hart: Numbers
    register: Numbers
    value: Numbers
    known: Flags


@dataclass(frozen=True)
class TrapRows:
    """Traps in order, one row each; columns as the schema's ``trap.``, with ``t`` as offset."""

    t: Numbers
    hart: Numbers
    last: Numbers
    cause: Numbers
    epc: Numbers
    tval: Numbers
    source: Numbers
    target: Numbers


class EpochData:
    """An epoch's columns, decoded when they are asked for and kept in the trace's cache.

    ``start`` is its first t, ``end`` the first after it, ``length`` their difference; all other times
    here are offsets from ``start``. Arrays are not to be written to. Everything raises TraceFormatError
    on columns that contradict each other.
    """

    def __init__(self, source: Source, index: int, blocks: BlockTable, harts: int, registers: int) -> None:
        self._source = source
        self._harts = harts
        self._registers = registers
        self.index = index
        self.blocks = blocks
        bounds = self._column("bounds")
        self._require(len(bounds) == 2 and bounds[0] <= bounds[1], "bounds")
        self.start = Time(int(bounds[0]))
        self.end = Time(int(bounds[1]))
        self.length = self.end - self.start
        self._require(self.length <= EPOCH_LENGTH_LIMIT, "bounds")
        self.accesses = AccessTable(source, index, self.length)

    def _column(self, name: str) -> NDArray[Any]:
        return self._source.column(EPOCH.topic, self.index, name)

    def _require(self, condition: bool | np.bool_, what: str) -> None:
        self._source.require(condition, f"epoch {self.index} contradicts itself in {what}")

    def _group(self, prefix: str, *names: str) -> tuple[NDArray[Any], ...]:
        columns = tuple(self._column(f"{prefix}.{name}") for name in names)
        self._require(len({len(column) for column in columns}) == 1, prefix)
        return columns

    @property
    def run_block(self) -> Numbers:
        """The block of each run."""
        return self._column("run.block")

    @property
    def run_start(self) -> Integers:
        """The t at which each run starts, and the epoch's length at the end: one row more than runs."""
        return self._source.cache.get(("run start", self.index), self._make_run_start)

    def _make_run_start(self) -> Integers:
        blocks = self.run_block
        self._require(is_below(blocks, len(self.blocks)), "run.block")
        started = self.blocks.instructions[blocks]
        runs, short = self._group("short", "run", "started")
        self._require(is_strictly_ascending(runs) and is_below(runs, len(blocks)), "short.run")
        self._require(not np.any(short > started[runs]), "short.started")
        started[runs] = short
        start = prefix_sum(started)
        self._require(start[-1] == self.length, "the lengths of its runs")
        return start

    @property
    def run_write(self) -> Integers:
        """For each run the index in ``writes`` of its first value, and their number at the end."""
        return self._source.cache.get(("run write", self.index), self._make_run_write)

    def _make_run_write(self) -> Integers:
        first = self.blocks.first[self.run_block]
        recorded = self.blocks.recorded
        counts = recorded[first + np.diff(self.run_start)] - recorded[first]
        start = prefix_sum(counts)
        rows = self._source.rows(WRITES.topic, self.index, "value")
        self._require(start[-1] == rows, "the number of writes")
        return start

    @property
    def turns(self) -> tuple[Numbers, Numbers]:
        """First run of each stretch on one hart, and that hart."""
        runs, harts = self._group("turn", "run", "hart")
        count = len(self.run_block)
        self._require(is_strictly_ascending(runs) and is_below(harts, self._harts), "turn")
        # A killed recorder may leave a last stretch that no run belongs to.
        self._require(is_below(runs, count + 1), "turn.run")
        self._require(not count or (len(runs) > 0 and runs[0] == 0), "turn.run")
        return runs, harts

    def hart_of_runs(self, runs: Integers) -> Numbers:
        """Return the hart of each of ``runs``."""
        first, harts = self.turns
        return harts[np.searchsorted(first, runs, "right") - 1]

    def run_at(self, t: int) -> int:
        """Return the run that the instruction at ``t`` (0 to length - 1) belongs to."""
        return int(np.searchsorted(self.run_start, t, "right")) - 1

    def instructions(self, start: int, stop: int, hart: int | None = None) -> Instructions:
        """Return the instructions with start <= t < stop, of one hart or of all."""
        start, stop = max(start, 0), min(stop, self.length)
        if start >= stop:
            return self.instructions_of_runs(np.empty(0, np.int64))
        runs = np.arange(self.run_at(start), self.run_at(stop - 1) + 1)
        if hart is not None:
            runs = runs[self.hart_of_runs(runs) == hart]
        found = self.instructions_of_runs(runs)
        return found.select((found.t >= start) & (found.t < stop))

    def instructions_of_runs(self, runs: Integers) -> Instructions:
        """Return the instructions that ``runs`` (ascending) started."""
        start = self.run_start[runs]
        counts = self.run_start[runs + 1] - start
        run = np.repeat(runs, counts)
        within = np.arange(len(run)) - np.repeat(prefix_sum(counts)[:-1], counts)
        first = self.blocks.first[self.run_block[runs]]
        return Instructions(np.repeat(start, counts) + within, np.repeat(first, counts) + within, run)

    def recorded_values(self, rows: Instructions) -> Numbers:
        """Return the value in ``writes`` of each instruction; all must be of source RECORDED."""
        if not len(rows.t):
            return np.empty(0, np.uint64)
        blocks = self.blocks
        before = blocks.recorded[blocks.first[self.run_block[rows.run]]]
        places = self.run_write[rows.run] + blocks.recorded[rows.instruction] - before
        low, high = int(places.min()), int(places.max()) + 1
        found: Numbers = self._writes(low, high)[places - low]
        return found

    def _writes(self, low: int, high: int) -> Numbers:
        """Return values ``low`` to ``high`` of ``writes`` in order of t."""
        first, last = low // SEGMENT, -(-high // SEGMENT)
        parts = [
            self._source.cache.get(("writes", self.index, segment), partial(self._make_writes, segment))
            for segment in range(first, last)
        ]
        return np.concatenate(parts)[low - first * SEGMENT : high - first * SEGMENT]

    def _make_writes(self, segment: int) -> Numbers:
        low = segment * SEGMENT
        high = min(low + SEGMENT, int(self.run_write[-1]))
        runs = np.arange(
            np.searchsorted(self.run_write, low, "right") - 1, np.searchsorted(self.run_write, high)
        )
        rows = self.instructions_of_runs(runs)
        keys = rows.instruction[self.blocks.source[rows.instruction] == ValueSource.RECORDED]
        keys = keys[low - int(self.run_write[runs[0]]) :][: high - low]
        stored = self._source.message(WRITES.topic, self.index).slice("value", low, high)
        return decode_segment(stored, keys)

    @property
    def last_t(self) -> Numbers:
        """For each hart the absolute t of its last instruction before the epoch; NEVER for none."""
        last = self._column("last.t")
        self._require(len(last) == self._harts, "last.t")
        self._require(not np.any((last >= self.start) & (last != NEVER)), "last.t")
        return last

    @property
    def unretired(self) -> Numbers:
        """Instructions that started and did not retire, ascending."""
        return self._ascending_times("unretired.t")

    @property
    def open(self) -> Numbers:
        """Instructions whose outcome was not known when the epoch was written, ascending."""
        return self._ascending_times("open.t")

    def _ascending_times(self, name: str) -> Numbers:
        times = self._column(name)
        self._require(is_strictly_ascending(times) and is_below(times, self.length), name)
        return times

    @property
    def states(self) -> StateRows:
        """State rows in order of t."""
        t, hart, register, value = self._group("state", "t", "hart", "register", "value")
        known = register & STATE_UNKNOWN == 0
        rows = StateRows(t, hart, register & ~np.uint16(STATE_UNKNOWN), value, known)
        self._require(is_ascending(rows.t) and is_below(rows.t, self.length + 1), "state.t")
        self._require(is_below(rows.hart, self._harts), "state.hart")
        self._require(is_below(rows.register, self._registers), "state.register")
        return rows

    @property
    def traps(self) -> TrapRows:
        """Traps in order of t."""
        names = ("t", "hart", "last", "cause", "epc", "tval", "from", "to")
        rows = TrapRows(*self._group("trap", *names))
        self._require(is_ascending(rows.t) and is_below(rows.t, self.length + 1), "trap.t")
        return rows

    @property
    def resets(self) -> Numbers:
        """First instruction after each reset."""
        return self._column("reset.t")

    @property
    def keyframes(self) -> tuple[Numbers, Numbers, Numbers]:
        """Of each keyframe t, hart, and index of the first state row that is not in it."""
        times, harts, states = self._group("keyframe", "t", "hart", "state")
        self._require(is_ascending(times) and is_below(times, self.length + 1), "keyframe.t")
        rows = self._source.rows(EPOCH.topic, self.index, "state.t")
        self._require(is_below(states, rows + 1), "keyframe.state")
        values = self._source.rows(EPOCH.topic, self.index, "keyframe.value")
        self._require(values == len(times) * self._registers, "keyframe.value")
        return times, harts, states

    def keyframe_values(self, keyframe: int) -> Numbers:
        """Return the value of every register in a keyframe, in the order of the trace's list."""
        message = self._source.message(EPOCH.topic, self.index)
        start = keyframe * self._registers
        return message.slice("keyframe.value", start, start + self._registers)
