"""When a register was written, and with what."""

from collections.abc import Iterator

import numpy as np

from tracedbg.format.schema import NEVER
from tracedbg.ids import Hart, RegisterId, Time
from tracedbg.query.results import values_of, with_effect
from tracedbg.query.rows import REGISTER_WRITE, Rows, Window, join
from tracedbg.store.blocks import BlockTable, prefix_sum
from tracedbg.store.epoch import EpochData, Instructions
from tracedbg.store.guest import INTEGER_REGISTERS
from tracedbg.store.source import Integers
from tracedbg.store.trace import Trace


def register_writes(
    trace: Trace,
    register: RegisterId,
    *,
    between: tuple[Time, Time] | None = None,
    hart: Hart | None = None,
) -> Rows:
    """Return the writes of a register, of one hart or of all, as REGISTER_WRITE rows in order of t.

    ``between`` is (first t, t after the last) of the instructions; a register that is recorded by its state
    counts when it shows in the state after the first moment, up to the last. ValueError for a register
    that the guest does not have.
    """
    return join(list(iter_register_writes(trace, register, between=between, hart=hart)), REGISTER_WRITE)


def iter_register_writes(
    trace: Trace,
    register: RegisterId,
    *,
    between: tuple[Time, Time] | None = None,
    hart: Hart | None = None,
    reverse: bool = False,
) -> Iterator[Rows]:
    """Yield what ``register_writes`` returns epoch by epoch, none empty; newest first when ``reverse``."""
    if not 0 <= register < len(trace.guest.registers):
        raise ValueError(f"register {register} is none of the {len(trace.guest.registers)} of the guest")
    window = Window.of(trace, between)
    first, stop = window.epochs(trace)
    for index in reversed(range(first, stop)) if reverse else range(first, stop):
        rows = _epoch_rows(trace, trace.epoch(index), register, window)
        if hart is not None:
            rows = rows[rows["hart"] == hart]
        if len(rows):
            yield rows


def _epoch_rows(trace: Trace, epoch: EpochData, register: int, window: Window) -> Rows:
    rows = np.concatenate(
        [_instruction_rows(trace, epoch, register, window), _state_rows(epoch, register, window)]
    )
    # Stable: of two with one t the state row is the newer, as it is for registers_at.
    return rows[np.argsort(rows["t"], kind="stable")]


def _instruction_rows(trace: Trace, epoch: EpochData, register: int, window: Window) -> Rows:
    if not 0 < register < INTEGER_REGISTERS:
        return np.empty(0, REGISTER_WRITE)
    found = with_effect(trace, epoch, _writers(epoch, register, *window.instructions(epoch)))
    rows = np.empty(len(found.t), REGISTER_WRITE)
    rows["instruction"] = found.t + epoch.start
    rows["t"] = rows["instruction"] + np.uint64(1)
    rows["hart"] = epoch.hart_of_runs(found.run)
    rows["value"], rows["known"] = values_of(trace, epoch, found)
    rows["value"][~rows["known"]] = 0
    return rows


def _writers(epoch: EpochData, register: int, start: int, stop: int) -> Instructions:
    """Return the instructions from ``start`` to ``stop`` whose destination is ``register``."""
    blocks = epoch.blocks
    if start >= stop:
        return epoch.instructions(start, stop)
    runs = np.arange(epoch.run_at(start), epoch.run_at(stop - 1) + 1)
    rows = epoch.instructions_of_runs(runs[_blocks_writing(blocks, register)[epoch.run_block[runs]] > 0])
    wanted = (blocks.destination[rows.instruction] == register) & (rows.t >= start) & (rows.t < stop)
    return rows.select(wanted)


def _blocks_writing(blocks: BlockTable, register: int) -> Integers:
    """Return for each block how many of its instructions have ``register`` as their destination."""
    before = prefix_sum(blocks.destination == register)[blocks.first]
    return np.diff(before)


def _state_rows(epoch: EpochData, register: int, window: Window) -> Rows:
    states = epoch.states
    found = np.flatnonzero((states.register == register) & window.moments(epoch, states.t))
    rows = np.empty(len(found), REGISTER_WRITE)
    rows["t"] = states.t[found] + np.uint64(epoch.start)
    rows["instruction"] = NEVER
    rows["hart"] = states.hart[found]
    rows["value"] = states.value[found]
    rows["known"] = states.known[found]
    return rows
