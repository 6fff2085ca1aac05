"""The registers of a hart at a moment."""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import NEVER
from tracedbg.ids import Hart, Time
from tracedbg.query.results import last_unsettled, values_of, with_effect
from tracedbg.store.epoch import EpochData, Instructions
from tracedbg.store.source import Flags, Numbers
from tracedbg.store.trace import Trace


def registers_at(trace: Trace, hart: Hart, t: Time) -> tuple[Numbers, Flags]:
    """Return the value of every register of a hart at moment ``t``, and which of them are known.

    Both arrays have a row for each of the guest's registers, in the order of its list; unknown values
    are 0. ValueError for a t outside the trace or a hart that the guest does not have.
    """
    if not 0 <= hart < trace.guest.harts:
        raise ValueError(f"hart {hart} is none of the {trace.guest.harts} of the guest")
    state = _State.unknown(len(trace.guest.registers))
    windows = []
    window: _Window | None = _window(trace, hart, t)
    while window is not None:
        windows.append(window)
        window = _window_before(trace, hart, window)
    for window in reversed(windows):
        _apply(trace, hart, window, state)
    state.values[~state.known] = 0
    return state.values, state.known


@dataclass(frozen=True)
class _Window:
    """A hart's instructions from ``start`` to ``stop`` in an epoch, after the keyframe if there is one."""

    epoch: EpochData
    keyframe: int | None
    start: int
    stop: int
    state_row: int


@dataclass
class _State:
    values: Numbers
    known: Flags

    @classmethod
    def unknown(cls, registers: int) -> "_State":
        known = np.zeros(registers, np.bool_)
        # x0 is zero by its nature.
        known[0] = True
        return cls(np.zeros(registers, np.uint64), known)


def _window(trace: Trace, hart: int, moment: Time) -> _Window:
    epoch = trace.epoch(trace.epoch_of(moment))
    return _window_in(epoch, hart, moment - epoch.start)


def _window_in(epoch: EpochData, hart: int, stop: int) -> _Window:
    times, harts, state_rows = epoch.keyframes
    found = np.flatnonzero((harts == hart) & (times <= stop))
    if not len(found):
        return _Window(epoch, None, 0, stop, 0)
    keyframe = int(found[-1])
    return _Window(epoch, keyframe, int(times[keyframe]), stop, int(state_rows[keyframe]))


def _window_before(trace: Trace, hart: int, window: _Window) -> _Window | None:
    """Return the window up to the hart's last instruction before an epoch, None after a keyframe."""
    last = int(window.epoch.last_t[hart])
    if window.keyframe is not None or last == NEVER or last < trace.start:
        return None
    epoch = trace.epoch(trace.epoch_of(Time(last)))
    return _window_in(epoch, hart, last + 1 - epoch.start)


def _apply(trace: Trace, hart: int, window: _Window, state: _State) -> None:
    """Carry the state through a window, in place."""
    if window.keyframe is not None:
        state.values[:] = window.epoch.keyframe_values(window.keyframe)
        state.known[:] = True
        state.values[0] = 0
    rows = window.epoch.instructions(window.start, window.stop, hart)
    moments = np.full(len(state.values), -1, np.int64)
    unsettled = last_unsettled(trace, window.epoch, rows)
    if unsettled >= 0:
        state.known[1:] = False
        moments[:] = unsettled + 1
        rows = rows.select(rows.t > unsettled)
    _apply_instructions(trace, window.epoch, rows, state, moments)
    _apply_states(hart, window, state, moments)


def _apply_instructions(
    trace: Trace, epoch: EpochData, rows: Instructions, state: _State, moments: Numbers
) -> None:
    """Put in the last write of each register, and into ``moments`` the moment from which it holds."""
    rows = with_effect(trace, epoch, rows)
    if not len(rows.t):
        return
    destination = epoch.blocks.destination[rows.instruction]
    last = np.full(32, -1, np.int64)
    # Where a register occurs several times numpy keeps the last.
    last[destination] = np.arange(len(destination))
    chosen = np.zeros(len(destination), np.bool_)
    chosen[last[last >= 0]] = True
    final = rows.select(chosen)
    registers = destination[chosen]
    state.values[registers], state.known[registers] = values_of(trace, epoch, final)
    moments[registers] = final.t + 1


def _apply_states(hart: int, window: _Window, state: _State, moments: Numbers) -> None:
    rows = window.epoch.states
    stop = int(np.searchsorted(rows.t, window.stop, "right"))
    chosen = np.flatnonzero(rows.hart[window.state_row : stop] == hart) + window.state_row
    # A row that holds from the moment at which an instruction's value would is the newer one.
    chosen = chosen[rows.t[chosen] >= moments[rows.register[chosen]]]
    registers = rows.register[chosen]
    state.values[registers] = rows.value[chosen]
    state.known[registers] = rows.known[chosen]
