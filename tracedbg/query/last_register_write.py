"""The write that a register's value at a moment comes from."""

from dataclasses import dataclass

import numpy as np

from tracedbg.ids import Hart, RegisterId, Time
from tracedbg.query.last_instructions import Chosen, Passed, iter_back, last_in
from tracedbg.query.results import values_of
from tracedbg.store.epoch import EpochData
from tracedbg.store.guest import INTEGER_REGISTERS
from tracedbg.store.trace import Trace


@dataclass(frozen=True)
class RegisterWrite:
    """From moment ``t`` on a register holds ``value``, None where that is not known.

    ``instruction`` is the t of the instruction that wrote it, None for one that is recorded by its state.
    """

    t: Time
    instruction: Time | None
    value: int | None


def last_register_write(trace: Trace, register: RegisterId, hart: Hart, t: Time) -> RegisterWrite | None:
    """Return the newest write of a hart's register that the state at ``t`` shows; None for none.

    It is the last of ``register_writes``, found without decoding what lies between. ValueError for a
    register or hart that the guest does not have.
    """
    if not 0 <= register < len(trace.guest.registers) or not 0 <= hart < trace.guest.harts:
        raise ValueError(f"register {register} of hart {hart} is none of the guest's")
    destination = trace.blocks.destination
    # Other registers, and zero, are recorded by their state alone.
    flags = (destination == register) & (0 < register < INTEGER_REGISTERS)
    chosen = Chosen.of(hart, trace.blocks, flags)
    for passed in iter_back(trace, chosen, t):
        found = _last_of_epoch(trace, passed, register, chosen)
        if found is not None:
            return found
    return None


def _last_of_epoch(trace: Trace, passed: Passed, register: int, chosen: Chosen) -> RegisterWrite | None:
    epoch = passed.epoch
    state = _last_state(epoch, register, chosen.hart, passed.stop)
    # A row that holds from the moment at which an instruction's value would is the newer one.
    oldest = 0 if state is None else state.t - epoch.start
    rows = last_in(trace, passed, chosen, oldest)
    if not len(rows.t):
        return state
    values, known = values_of(trace, epoch, rows)
    instruction = Time(epoch.start + int(rows.t[0]))
    return RegisterWrite(Time(instruction + 1), instruction, int(values[0]) if known[0] else None)


def _last_state(epoch: EpochData, register: int, hart: int, stop: int) -> RegisterWrite | None:
    states = epoch.states
    rows = int(np.searchsorted(states.t, stop, "right"))
    found = np.flatnonzero((states.register[:rows] == register) & (states.hart[:rows] == hart))
    if not len(found):
        return None
    row = int(found[-1])
    value = int(states.value[row]) if states.known[row] else None
    return RegisterWrite(Time(epoch.start + int(states.t[row])), None, value)
