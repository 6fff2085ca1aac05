"""Registers, carried from keyframe to keyframe by what instructions wrote, and compared at each."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import STATE_UNKNOWN
from tracedbg.verify.blocks import Instructions
from tracedbg.verify.guest import GuestFacts
from tracedbg.verify.messages import Columns, EpochMessages, Flags, Integers, Words
from tracedbg.verify.report import Report
from tracedbg.verify.results import Results

_FRAMES_AT_ONCE = 1 << 12


@dataclass(frozen=True)
class _Writes:
    """What instructions of one hart wrote: instruction, and register; each holds from the next t on."""

    row: Integers
    register: Integers

    def until(self, start: int, t: int | None) -> tuple["_Writes", int]:
        """Return the writes from row ``start`` that hold at ``t`` (None: all), and the row after them."""
        stop = len(self.row) if t is None else int(np.searchsorted(self.row, t))
        return _Writes(self.row[start:stop], self.register[start:stop]), stop


@dataclass(frozen=True)
class _States:
    """State rows of one hart in order of t: the register holds the value from t on, or one not ``known``."""

    t: Integers
    register: Integers
    value: Words
    known: Flags

    def until(self, start: int, t: int | None) -> tuple["_States", int]:
        """Return the rows from ``start`` that hold at ``t`` (None: all), and the row after them."""
        stop = len(self.t) if t is None else int(np.searchsorted(self.t, t, "right"))
        return self.take(slice(start, stop)), stop

    def take(self, rows: Integers | slice) -> "_States":
        """Return some of the rows."""
        return _States(self.t[rows], self.register[rows], self.value[rows], self.known[rows])


@dataclass(frozen=True)
class _Stretch:
    """Some keyframes of a hart, ``values`` of shape (keyframes, registers), and what led to them."""

    t: Integers
    values: Words
    writes: _Writes
    states: _States


class RegisterCheck:
    """Holds each hart's registers, as far as they are known, at the end of the epochs seen so far."""

    def __init__(self, guest: GuestFacts, report: Report) -> None:
        shape = guest.harts, len(guest.registers)
        self._values: Words = np.zeros(shape, np.uint64)
        self._known: Flags = np.zeros(shape, bool)
        self._names = guest.registers
        self._report = report

    def check(self, messages: EpochMessages, instructions: Instructions, results: Results) -> None:
        """Compare an epoch's keyframes with what the instructions before them left."""
        self._report.keyframes += messages.epoch.rows("keyframe.t")
        self._compare_pc(messages, results)
        rows = results.writers()
        harts = np.unique(np.concatenate([messages.epoch[f"{table}.hart"] for table in _HART_TABLES]))
        for hart in harts.tolist():
            own = rows if len(harts) == 1 else rows[instructions.hart[rows] == hart]
            writes = _Writes(own, results.destinations(own))
            for stretch in _stretches(messages.epoch, hart, writes, len(self._names)):
                self._stretch(messages.first, hart, stretch, results)

    def _compare_pc(self, messages: EpochMessages, results: Results) -> None:
        t = messages.epoch.indices("keyframe.t")
        inside = t < messages.length
        t, found = t[inside], messages.epoch["keyframe.pc"][inside]
        expected = results.addresses(t)
        wrong = np.flatnonzero(found != expected)
        if len(wrong):
            row = wrong[0]
            self._report.differ("registers", len(wrong), _sentence(messages.first + int(t[row]), "pc",
                                int(found[row]), int(expected[row])))  # fmt: skip

    def _stretch(self, first: int, hart: int, stretch: _Stretch, results: Results) -> None:
        """Compare the keyframes of a stretch, and carry the registers to its end."""
        written, values, known = _newest(stretch, results)
        # What was not written since the keyframe before is as it was there, or where the last stretch ended.
        before = np.concatenate([self._values[hart][None], stretch.values])
        was_known = np.ones(before.shape, bool)
        was_known[0] = self._known[hart]
        values = np.where(written, values, before)
        known = np.where(written, known, was_known)
        self._values[hart], self._known[hart] = values[-1], known[-1]
        # x0 is no register that anything could be written to.
        known[:, 0] = False
        self._report.registers += int(np.count_nonzero(known[:-1]))
        frames, registers = np.nonzero(known[:-1] & (values[:-1] != stretch.values))
        if len(frames):
            place = frames[0], registers[0]
            name = f"{self._names[registers[0]]} of hart {hart}"
            self._report.differ("registers", len(frames), _sentence(first + int(stretch.t[frames[0]]), name,
                                int(stretch.values[place]), int(values[place])))  # fmt: skip


_HART_TABLES = ("turn", "state", "keyframe")


def _sentence(t: int, name: str, found: int, expected: int) -> str:
    return f"t {t}: {name} is {found:#x} and was computed as {expected:#x}"


def _stretches(epoch: Columns, hart: int, writes: _Writes, registers: int) -> Iterator[_Stretch]:
    """Yield an epoch of one hart in stretches of a bounded number of keyframes; the last has no end."""
    own = np.flatnonzero(epoch["keyframe.hart"] == hart)
    times = epoch.indices("keyframe.t")[own]
    values = epoch["keyframe.value"].reshape(-1, registers)
    states = _states(epoch, hart)
    written = stated = 0
    for start in range(0, max(len(own), 1), _FRAMES_AT_ONCE):
        stop = start + _FRAMES_AT_ONCE
        end = int(times[stop - 1]) if stop < len(own) else None
        some_writes, written = writes.until(written, end)
        some_states, stated = states.until(stated, end)
        yield _Stretch(times[start:stop], values[own[start:stop]], some_writes, some_states)


def _states(epoch: Columns, hart: int) -> _States:
    own = np.flatnonzero(epoch["state.hart"] == hart)
    own = own[np.argsort(epoch["state.t"][own], kind="stable")]
    register = epoch.indices("state.register")
    known = register & STATE_UNKNOWN == 0
    return _States(epoch.indices("state.t"), register & ~STATE_UNKNOWN, epoch["state.value"], known).take(own)


def _newest(stretch: _Stretch, results: Results) -> tuple[Flags, Words, Flags]:
    """Return whether each register was written, its newest value, and whether that is known.

    All three have the shape (keyframes + 1, registers): row by row, from one keyframe to the next, and in the
    last row after all of them.
    """
    writes, states = stretch.writes, stretch.states
    shape = len(stretch.t) + 1, stretch.values.shape[1]
    # A write by instruction t holds from t + 1.
    newest_write = _last(_interval(writes.row + 1, stretch.t), writes.register, shape)
    newest_state = _last(_interval(states.t, stretch.t), states.register, shape)
    write_t = np.where(newest_write >= 0, np.append(writes.row + 1, -1)[newest_write], -1)
    state_t = np.where(newest_state >= 0, np.append(states.t, -1)[newest_state], -1)
    by_state = (newest_state >= 0) & (state_t >= write_t)
    by_write = (newest_write >= 0) & ~by_state
    rows = writes.row[newest_write[by_write]]
    values, known = np.zeros(shape, np.uint64), np.ones(shape, bool)
    by_rows = newest_state[by_state]
    values[by_state], known[by_state] = states.value[by_rows], states.known[by_rows]
    values[by_write], known[by_write] = results.values(rows), ~results.unknown[rows]
    return by_state | by_write, values, known


def _interval(times: Integers, frames: Integers) -> Integers:
    """Return for each of ascending ``times`` how many of ascending ``frames`` are before it."""
    edges = np.searchsorted(times, frames, "right")
    return np.repeat(np.arange(len(frames) + 1), np.diff(np.concatenate([[0], edges, [len(times)]])))


def _last(intervals: Integers, registers: Integers, shape: tuple[int, int]) -> Integers:
    """Return the last row of each interval and register, -1 for none."""
    last = np.full(shape, -1, np.int64)
    # Of several assignments to one element the last one stays.
    last.reshape(-1)[intervals * shape[1] + registers] = np.arange(len(registers))
    return last
