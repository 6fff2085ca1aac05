"""An epoch of a capture, gathered instruction by instruction of one hart."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tracedbg.format.columns import AnyArray
from tracedbg.format.schema import (
    ACCESS_KIND_SHIFT,
    ACCESS_STORE,
    NEVER,
    STATE_UNKNOWN,
    Cause,
)
from tracedbg.gdb.capture.access import Access
from tracedbg.gdb.capture.registers import HartState
from tracedbg.gdb.capture.spans import Touched
from tracedbg.gdb.capture.tables import Columns, table


class Trap(NamedTuple):
    """A trap whose handler starts at the next t."""

    cause: int
    epc: int
    tval: int
    source: int
    target: int


_CHANGE = (("t", "<u4"), ("since", "<u8"), ("physical", "<u8"), ("value", "<u8"), ("cause", "u1"))


class EpochColumns:
    """What one hart did from ``first`` on; ``harts`` is what all registers were then, by hart."""

    def __init__(self, first: int, hart: int, harts: Sequence[HartState]) -> None:
        self.first = first
        self.hart = hart
        self.length = 0
        self._blocks: list[int] = []
        self._values: list[int] = []
        self._value_blocks: list[int] = []
        self._open: list[int] = []
        self._unretired: list[int] = []
        self._states: list[tuple[int, int, int, int]] = []
        self._traps: list[tuple[int, Trap]] = []
        self._accesses: list[tuple[int, Access]] = []
        self._printed: list[tuple[int, int]] = []
        self._changes: list[tuple[int, int, int, int, int]] = []
        self._keyframes: list[tuple[int, HartState, tuple[int, ...]]] = []
        for number, state in enumerate(harts):
            if number == hart:
                self.keyframe(state)
            else:
                self.all_registers(number, state)

    def start(self, block: int) -> None:
        """The instruction of a block of its own starts."""
        self._blocks.append(block)
        self.length += 1

    def value(self, value: int) -> None:
        """What the instruction that started last left in its destination, if the source is RECORDED."""
        self._values.append(value)
        self._value_blocks.append(self._blocks[-1])

    def leave_open(self) -> None:
        """It is not known how the instruction that started last came out."""
        self._open.append(self.length - 1)

    def fail(self) -> None:
        """The instruction that started last did not retire."""
        self._unretired.append(self.length - 1)

    def trap(self, trap: Trap) -> None:
        """A trap came after the instruction that started last."""
        self._traps.append((self.length, trap))

    def access(self, access: Access) -> None:
        """The instruction that started last touched memory."""
        self._accesses.append((self.length - 1, access))

    def printed(self, byte: int) -> None:
        """The instruction that started last put a byte on the console."""
        self._printed.append((self.first + self.length - 1, byte))

    def change(self, physical: int, value: int, since: int) -> None:
        """Eight bytes hold something else than was known, before the instruction that is to start next.

        That came about at some time after ``since``.
        """
        self._changes.append((self.length, since, physical, value, Cause.UNEXPLAINED))

    def register(self, hart: int, place: int, value: int | None) -> None:
        """From now on a register holds a value, or one that is not known."""
        number = place if value is not None else place | STATE_UNKNOWN
        self._states.append((self.length, hart, number, value or 0))

    def all_registers(self, hart: int, state: HartState) -> None:
        """From now on the registers of a hart hold these values."""
        for place, value in enumerate(state.values):
            self.register(hart, place, value)

    def keyframe(self, state: HartState) -> None:
        """The hart that runs holds these values now."""
        counts = len(self._blocks), len(self._values), len(self._accesses), len(self._states)
        self._keyframes.append((self.length, state, counts))
        for place, value in enumerate(state.values):
            if value is None:
                self.register(self.hart, place, None)

    def recorded(self) -> tuple[AnyArray, AnyArray]:
        """Return the values of ``writes`` in order of t, and the block of each."""
        return np.array(self._values, "<u8"), np.array(self._value_blocks, np.int64)

    def epoch(self, last_t: Sequence[int]) -> Columns:
        """Return the columns of message ``epoch``; ``last_t`` is the last t of each hart before it."""
        return {
            "bounds": np.array([self.first, self.first + self.length], "<u8"),
            "run.block": np.array(self._blocks, "<u4"),
            "turn.run": np.array([0] if self._blocks else [], "<u4"),
            "turn.hart": np.array([self.hart] if self._blocks else [], "<u2"),
            "last.t": np.array(last_t, "<u8"),
            "unretired.t": np.array(self._unretired, "<u4"),
            "open.t": np.array(self._open, "<u4"),
            **table("state", self._states, (("t", "<u4"), ("hart", "<u2"), ("register", "<u2"),
                                               ("value", "<u8"))),
            **self._trap_columns(),
            **self._keyframe_columns(),
        }  # fmt: skip

    def _trap_columns(self) -> Columns:
        rows = [
            (t, self.hart, self.first + t - 1, trap.cause, trap.epc, trap.tval, trap.source, trap.target)
            for t, trap in self._traps
        ]
        fields = (
            ("t", "<u4"), ("hart", "<u2"), ("last", "<u8"), ("cause", "<u8"), ("epc", "<u8"),
            ("tval", "<u8"), ("from", "u1"), ("to", "u1"),
        )  # fmt: skip
        return table("trap", rows, fields)

    def _keyframe_columns(self) -> Columns:
        rows = [(t, self.hart, state.pc, *counts) for t, state, counts in self._keyframes]
        fields = (
            ("t", "<u4"), ("hart", "<u2"), ("pc", "<u8"), ("run", "<u4"), ("write", "<u4"),
            ("access", "<u4"), ("state", "<u4"),
        )  # fmt: skip
        values = [value or 0 for _, state, _ in self._keyframes for value in state.values]
        return {**table("keyframe", rows, fields), "keyframe.value": np.array(values, "<u8")}

    def console(self) -> Columns | None:
        """Return the columns of message ``console``, None when nothing was printed."""
        columns = table("", self._printed, (("t", "<u8"), ("byte", "u1")))
        return {name.removeprefix("."): column for name, column in columns.items()} if self._printed else None

    def touched(self) -> Touched:
        """Return what the epoch tells of memory, and which blocks ran."""
        changed = [physical for _, _, physical, _, _ in self._changes]
        return Touched.of(self._blocks, [access for _, access in self._accesses], changed)

    def accesses(self) -> Columns:
        """Return the columns of message ``accesses``."""
        fields = (("t", "<u4"), ("flags", "u1"), ("virtual", "<u8"), ("value", "<u8"))
        rows = [(t, _flags(access), access.virtual, access.value) for t, access in self._accesses]
        columns = {name.removeprefix("."): column for name, column in table("", rows, fields).items()}
        delta = np.array([a.physical - a.virtual & NEVER for _, a in self._accesses], "<u8")
        changed = np.flatnonzero(delta != np.append(np.zeros(1, "<u8"), delta[:-1])[: len(delta)])
        crossing = [(row, a.second) for row, (_, a) in enumerate(self._accesses) if a.second is not None]
        return {
            **columns,
            "mapping.access": changed.astype("<u4"),
            "mapping.delta": delta[changed],
            **table("change", self._changes, _CHANGE),
            **table("crossing", crossing, (("access", "<u4"), ("physical", "<u8"))),
        }


def _flags(access: Access) -> int:
    store = ACCESS_STORE if access.is_store else 0
    return access.size.bit_length() - 1 | store | access.kind << ACCESS_KIND_SHIFT
