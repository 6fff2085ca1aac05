"""Where a hart stands that does not run again: behind its last instruction, if that one retired."""

from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.query import accesses_of, executed_at, last_of_hart, registers_at
from tracedbg.query.moments import Executed
from tracedbg.state.recording import Recording
from tracedbg.state.traps import traps_at


def find_place(recording: Recording, hart: Hart) -> VirtualAddress | None:
    """Return the address of the instruction that a hart would start next after the end of the trace.

    None where its last instruction is not known to have retired, or where it leads is not known.
    """
    store, arch = recording.store, recording.arch
    last = last_of_hart(store, hart, store.end)
    executed = None if last is None else executed_at(store, last)
    if last is None or executed is None or any(trap.hart == hart for trap in traps_at(store, store.end)):
        return None
    code = store.blocks.instruction_bytes(executed.instruction)
    values, known = registers_at(store, hart, last)
    names = store.guest.registers
    before = {name: int(value) for name, value, sure in zip(names, values, known, strict=True) if sure}
    if not _has_retired(recording, executed, code, before):
        return None
    return arch.following(code, executed.pc, [before.get(name) for name in arch.integer_registers])


def _has_retired(recording: Recording, executed: Executed, code: bytes, before: dict[str, int]) -> bool:
    """Say whether an instruction is known to have retired.

    A load or store is only recorded once it was made, and one that crosses into a second page only when both
    parts were.
    """
    store, t = recording.store, executed.t
    epoch = store.epoch(store.epoch_of(t))
    if t - epoch.start in epoch.unretired:
        return False
    if t - epoch.start not in epoch.open:
        return True
    arch = recording.arch
    if arch.surely_retires(code, executed.privilege, before.get):
        return True
    use = arch.effect(code)
    return use.memory is not None and not use.changes and bool(len(accesses_of(store, Time(t))))
