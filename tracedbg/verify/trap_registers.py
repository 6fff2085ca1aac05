"""What the registers of traps held at any moment of an epoch, from its state rows."""

from dataclasses import dataclass

import numpy as np

from tracedbg.format.schema import STATE_UNKNOWN
from tracedbg.verify.messages import Columns, Flags, Integers, Words

MACHINE, SUPERVISOR = 3, 1
STATUS = "mstatus"
NAMES = {MACHINE: ("mcause", "mepc", "mtval"), SUPERVISOR: ("scause", "sepc", "stval")}
"""Where a trap leaves cause, epc and tval, by the privilege that handles it."""
VECTOR = {MACHINE: "mtvec", SUPERVISOR: "stvec"}
ALL = (STATUS, *NAMES[MACHINE], *NAMES[SUPERVISOR], *VECTOR.values())


@dataclass(frozen=True)
class _History:
    """``values[i]``, if ``known``, is held before moment ``times[i]``, the last from the last moment on."""

    times: Integers
    values: Words
    known: Flags


class TrapRegisters:
    """Follows these registers of each hart, which change by state rows alone, from its first keyframe on."""

    def __init__(self, names: tuple[str, ...]) -> None:
        """``names`` is the trace's list of registers."""
        self._numbers = {name: names.index(name) for name in ALL if name in names}
        self._width = len(names)
        self._carried: dict[tuple[int, str], tuple[int, bool]] = {}
        self._histories: dict[tuple[int, str], _History] = {}

    @property
    def are_all_there(self) -> bool:
        """Whether the trace holds all of them."""
        return len(self._numbers) == len(ALL)

    def begin(self, epoch: Columns) -> None:
        """Take in an epoch."""
        self._carried.update(
            {place: (int(old.values[-1]), bool(old.known[-1])) for place, old in self._histories.items()}
        )
        self._histories = {}
        register = epoch["state.register"] & ~np.uint16(STATE_UNKNOWN)
        wanted = np.zeros(self._width, bool)
        wanted[list(self._numbers.values())] = True
        rows = np.flatnonzero(wanted[register])
        rows = rows[np.argsort(epoch["state.t"][rows], kind="stable")]
        harts = np.union1d(epoch["state.hart"][rows], epoch["keyframe.hart"])
        for hart in harts.tolist():
            own = rows[epoch["state.hart"][rows] == hart]
            for name, number in self._numbers.items():
                changes = own[register[own] == number]
                self._histories[hart, name] = self._history(epoch, hart, name, changes)

    def _history(self, epoch: Columns, hart: int, name: str, rows: Integers) -> _History:
        times, values = epoch.indices("state.t")[rows], epoch["state.value"][rows]
        known = epoch["state.register"][rows] & STATE_UNKNOWN == 0
        if (hart, name) in self._carried:
            before, sure = self._carried[hart, name]
        else:
            before, sure = 0, False
            first = np.flatnonzero(epoch["keyframe.hart"] == hart)[:1]
            frames = epoch["keyframe.value"].reshape(-1, self._width)
            later = times > epoch.indices("keyframe.t")[first].sum()
            times = np.concatenate([epoch.indices("keyframe.t")[first], times[later]])
            values = np.concatenate([frames[first, self._numbers[name]], values[later]])
            known = np.concatenate([np.ones(len(first), bool), known[later]])
        return _History(times, np.append(np.uint64(before), values), np.append(sure, known))

    def at(self, name: str, hart: int, times: Integers) -> tuple[Words, Flags]:
        """Return what a register held at offsets of the epoch, and whether that is known."""
        history = self._histories.get((hart, name))
        if history is None:
            before, sure = self._carried.get((hart, name), (0, False))
            return np.full(len(times), before, np.uint64), np.full(len(times), sure)
        found = np.searchsorted(history.times, times, "right")
        return history.values[found], history.known[found]
