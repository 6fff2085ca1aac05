"""From a trap handler into the code that it interrupted, by what the trace knows of the trap.

No kernel's frame layout is known here. Which trap a handler's frame belongs to is found by who wrote the
words that the frame stands on: the entry code, between the trap's first instruction and its first call.
"""

from tracedbg.arch import Use
from tracedbg.disasm import Flow, Instruction
from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.query import executed_at, iter_own, last_write, next_of_hart, own_after, own_back, registers_at
from tracedbg.state.activation import Activation, Unwinder
from tracedbg.state.frame import FoundBy
from tracedbg.state.registers import Registers
from tracedbg.state.traps import Trap, iter_traps_before, trap_at
from tracedbg.state.unwind_cfi import return_address_slot
from tracedbg.store.blocks import BlockTable
from tracedbg.symbols import UnwindRow

ENTRY_INSTRUCTIONS = 512
"""Instructions that entry code may take, from the trap to its first call."""

EXIT_INSTRUCTIONS = 64
"""Instructions from where exit code gives up the handler's frame to its return from the trap."""

_WORDS_TRIED = (1, 2, 3, 0, 4, 5)
"""Words from the stack pointer on that entry code has usually filled."""

_LEAVES = Flow.CALL | Flow.TRAP_RETURN


def interrupted(unwinder: Unwinder, activation: Activation, row: UnwindRow | None) -> Activation | None:
    """Return the code that the trap interrupted whose handler ``activation`` is, None when it is none.

    To be asked where there are no unwind rules, in the function that a trap vector points to, and where the
    rules lead to something that is no return address.
    """
    returning = _about_to_return(unwinder, activation)
    if returning is not None:
        return _at(unwinder, activation.hart, returning, None)
    trap = _find_trap(unwinder, activation, row)
    if trap is None or trap.target != activation.privilege or trap.t >= (activation.live or trap.t + 1):
        return None
    return _at(unwinder, trap.hart, trap.t, trap)


def _at(unwinder: Unwinder, hart: Hart, t: Time, trap: Trap | None) -> Activation:
    """Return what a trap interrupted: the hart's state at ``t``, before the trap that it may take there."""
    store = unwinder.recording.store
    values, known = registers_at(store, hart, t)
    whole = [int(value) if sure else None for value, sure in zip(values, known, strict=True)]
    registers = Registers(unwinder.arch, store.guest.registers, whole)
    executed = executed_at(store, t)
    assert executed is not None
    taken = trap or trap_at(store, t)
    pc, privilege = (executed.pc, executed.privilege) if taken is None else (taken.epc, taken.source)
    space = unwinder.arch.address_space(registers.find, privilege, Use.FETCH)
    live = min(t, unwinder.t)
    return Activation(pc, dict(registers), privilege, space, hart, FoundBy.TRAP, live, trap)


def _about_to_return(unwinder: Unwinder, activation: Activation) -> Time | None:
    """Return the moment after a return from a trap, if the hart runs straight into one from here.

    The last instructions of a handler have given up its frame already.
    """
    if activation.live != unwinder.t or activation.found_by is not FoundBy.REGISTERS:
        return None
    store = unwinder.recording.store
    start = next_of_hart(store, activation.hart, unwinder.t)
    if start is None:
        return None
    stop = own_after(store, activation.hart, start, EXIT_INSTRUCTIONS)
    for epoch, rows in iter_own(store, activation.hart, start, stop):
        for t, instruction in zip(rows.t.tolist(), rows.instruction.tolist(), strict=True):
            flow = _decoded(unwinder, epoch.blocks, instruction).flow
            if flow & Flow.TRAP_RETURN:
                return next_of_hart(store, activation.hart, Time(epoch.start + t + 1))
            if flow & (Flow.CALL | Flow.RETURN | Flow.TRAP):
                return None
    return None


def is_trap_entry(unwinder: Unwinder, activation: Activation) -> bool:
    """Say whether a trap vector points into the activation's function."""
    symbol = unwinder.symbol(activation)
    vectors = unwinder.arch.trap_vectors(activation.registers.get)
    starts = [unwinder.recording.symbols.at(vector) for vector in vectors]
    return symbol is not None and any(start is not None and start.start == symbol.start for start in starts)


def _find_trap(unwinder: Unwinder, activation: Activation, row: UnwindRow | None) -> Trap | None:
    if activation.live is not None:
        # What a trap interrupted at t was entered, if by a trap, by an earlier one.
        moment = Time(activation.live - (activation.trap is not None))
        recent = _trap_before(unwinder, activation.hart, moment, None)
        if recent is not None:
            return recent
    slot = None if row is None else return_address_slot(unwinder, activation, row)
    if slot is not None:
        return _trap_that_wrote(unwinder, activation, slot)
    if activation.link is not None:
        # A frame that a handler has rewritten, as execve does, leaves the handler's own frame as it was.
        found = _trap_that_wrote(unwinder, activation, activation.link)
        if found is not None:
            return found
    sp, size = unwinder.stack_pointer(activation), unwinder.arch.word_size
    if sp is None:
        return None
    tried = (_trap_that_wrote(unwinder, activation, sp + size * word) for word in _WORDS_TRIED)
    return next((trap for trap in tried if trap is not None), None)


def _trap_that_wrote(unwinder: Unwinder, activation: Activation, address: int) -> Trap | None:
    """Return the trap whose entry code wrote the word at a stack address."""
    physical = unwinder.locate(activation, address)
    if physical is None:
        return None
    access = last_write(unwinder.recording.store, (physical, 1), unwinder.t)
    if access is None or access.hart is None:
        return None
    return _trap_before(unwinder, access.hart, access.t, activation.pc)


def _trap_before(unwinder: Unwinder, hart: Hart, t: Time, returns_to: int | None) -> Trap | None:
    """Return the trap whose entry code the hart still runs at ``t``: no call, no return from a trap since.

    A call that returns to ``returns_to`` does not count: it is the entry code's own.
    """
    store = unwinder.recording.store
    oldest = own_back(store, hart, t, ENTRY_INSTRUCTIONS)
    trap = next(iter_traps_before(store, hart, Time(min(t + 1, store.end)), oldest), None)
    if trap is None:
        return None
    ran = _instructions(unwinder, hart, trap.t, t)
    left = any(found.flow & _LEAVES and found.address + found.length != returns_to for found in ran)
    return None if left else trap


def _instructions(unwinder: Unwinder, hart: Hart, start: Time, stop: Time) -> list[Instruction]:
    """Return the different instructions that a hart ran from ``start`` to ``stop``."""
    return [
        _decoded(unwinder, epoch.blocks, place)
        for epoch, rows in iter_own(unwinder.recording.store, hart, start, stop)
        for place in set(rows.instruction.tolist())
    ]


def _decoded(unwinder: Unwinder, blocks: BlockTable, instruction: int) -> Instruction:
    address = VirtualAddress(int(blocks.address[instruction]))
    return unwinder.recording.disassembler.decode(blocks.instruction_bytes(instruction), address)
