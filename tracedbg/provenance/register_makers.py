"""What made a register's value: an instruction, a trap, or the state at the trace's start."""

import numpy as np

from tracedbg import query
from tracedbg.ids import RegisterId, Time
from tracedbg.provenance.maker import By, Maker
from tracedbg.provenance.place import RegisterAt
from tracedbg.state.recording import Recording
from tracedbg.state.registers import register_numbers
from tracedbg.state.traps import last_trap, traps_at
from tracedbg.store.epoch import TrapRows
from tracedbg.store.source import Flags

_REPEATS = 16
"""How many rows that repeat a register's value are passed over."""


class RegisterMakers:
    """Finds the makers of registers of one recording."""

    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        self._store = recording.store
        numbers = register_numbers(recording.arch, recording.store.guest.registers)
        # Registers that take several words, as those of vectors do, are not followed.
        self._numbers = {name: RegisterId(own[0]) for name, own in numbers.items() if len(own) == 1}

    def follows(self, name: str) -> bool:
        """Say whether the trace holds a register of that name."""
        return name in self._numbers

    def value(self, place: RegisterAt) -> int | None:
        """Return what a register held, None where the trace does not tell."""
        values, known = query.registers_at(self._store, place.hart, place.t)
        number = self._numbers[place.name]
        return int(values[number]) if known[number] else None

    def find(self, place: RegisterAt) -> Maker:
        """Return what made the value of a recorded register."""
        arch = self._recording.arch
        found = self._by_row(place)
        if place.name in arch.integer_registers or place.name in arch.float_registers:
            return found
        # Of a control register only changes are recorded: the same value may have been written again later.
        others = [self._by_instruction(place, found.value), self._by_trap(place, found.value)]
        return max([found, *filter(None, others)], key=self._order)

    def _order(self, maker: Maker) -> tuple[int, int]:
        """What no instruction made comes after the instruction before the moment from which it holds."""
        if maker.by is By.INSTRUCTION:
            return maker.t, 0
        last = maker.t - 1 if maker.trap is None else maker.trap.last
        return (-1 if last is None or maker.by is By.START else last), 1

    def _by_row(self, place: RegisterAt) -> Maker:
        t = place.t
        for _ in range(_REPEATS):
            write = query.last_register_write(self._store, self._numbers[place.name], place.hart, t)
            if write is None:
                return Maker(By.START, self._store.start, place, self.value(place))
            if write.instruction is not None:
                return Maker(By.INSTRUCTION, write.instruction, place, write.value)
            found = self._by_state(place, write)
            last = query.last_of_hart(self._store, place.hart, write.t)
            if found.by is not By.UNKNOWN or last is None:
                return found
            # A row may tell again what the register held before an instruction that did not write it.
            before = RegisterAt(place.name, place.hart, last)
            if write.value is None or self.value(before) != write.value:
                return found
            t = last
        return found

    def _by_state(self, place: RegisterAt, write: query.RegisterWrite) -> Maker:
        """Judge a row that tells what a register holds from a moment on, by what came before that moment."""
        for trap in reversed(traps_at(self._store, write.t)):
            if trap.hart == place.hart and self._writes(trap.target, place.name):
                return Maker(By.TRAP, write.t, place, write.value, trap=trap)
        last = query.last_of_hart(self._store, place.hart, write.t)
        if last is not None and self._makes(last, place.name) and query.has_retired(self._store, last):
            return Maker(By.INSTRUCTION, last, place, write.value)
        epoch = self._store.epoch(self._store.epoch_of(write.t))
        is_reset = write.t - epoch.start in epoch.resets
        return Maker(By.RESET if is_reset else By.UNKNOWN, write.t, place, write.value)

    def _writes(self, privilege: int, name: str) -> bool:
        return name in self._recording.arch.trap_registers(privilege)

    def _makes(self, t: Time, name: str) -> bool:
        executed = query.executed_at(self._store, t)
        if executed is None:
            return False
        data = self._store.blocks.instruction_bytes(executed.instruction)
        return self._recording.arch.dataflow(data).find(name) is not None

    def _by_instruction(self, place: RegisterAt, value: int | None) -> Maker | None:
        writers = self._recording.arch.writes_control(self._store.blocks.encoding, place.name)
        t = query.last_chosen(self._store, place.hart, place.t, writers)
        return None if t is None else Maker(By.INSTRUCTION, t, place, value)

    def _by_trap(self, place: RegisterAt, value: int | None) -> Maker | None:
        def choose(rows: TrapRows) -> Flags:
            levels = [level for level in np.unique(rows.target).tolist() if self._writes(level, place.name)]
            chosen: Flags = (rows.hart == place.hart) & np.isin(rows.target, levels)
            return chosen

        if not any(self._writes(level, place.name) for level in self._privileges):
            return None
        trap = last_trap(self._store, place.t, choose)
        return None if trap is None else Maker(By.TRAP, trap.t, place, value, trap=trap)

    @property
    def _privileges(self) -> list[int]:
        found: list[int] = np.unique(self._store.blocks.privilege).tolist()
        return found
