"""How control came to where a hart was."""

from tracedbg import query
from tracedbg.ids import Time
from tracedbg.provenance.maker import By, Maker
from tracedbg.provenance.place import RegisterAt
from tracedbg.state.traps import trap_at
from tracedbg.store.trace import Trace


def find_program_counter(store: Trace, place: RegisterAt) -> Maker:
    """Return the jump or trap that led to the straight code that the hart was in at the place's t.

    The maker's value is the address that it led to, and its place is the pc there.
    """
    t = query.next_of_hart(store, place.hart, place.t)
    if t is None:
        t = query.last_of_hart(store, place.hart, place.t)
    if t is None:
        return Maker(By.START, store.start, place, None)
    entry = query.straight_since(store, t)
    pc = query.pc_at(store, entry)
    at = RegisterAt(place.name, place.hart, entry)
    trap = trap_at(store, entry)
    if trap is not None and trap.hart == place.hart:
        return Maker(By.TRAP, entry, at, pc, trap=trap)
    before = query.last_of_hart(store, place.hart, entry)
    if before is None:
        return Maker(By.START, store.start, at, pc)
    return Maker(By.INSTRUCTION, Time(before), at, pc)
