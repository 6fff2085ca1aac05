"""From a trap handler into what it interrupted, where the trap itself is not in the trace."""

from tracedbg.arch import Use
from tracedbg.ids import VirtualAddress
from tracedbg.state.activation import Activation, Unwinder
from tracedbg.state.frame import FoundBy


def interrupted_unseen(unwinder: Unwinder, activation: Activation) -> Activation | None:
    """Return what the trap registers say that a handler interrupted; None where that cannot be so.

    To be asked in the function that a trap vector points to. A recording from the guest's start has seen all
    traps. Where the handler keeps the other registers is not known, so the call stack ends there.
    """
    store, arch = unwinder.recording.store, unwinder.arch
    if not store.guest.is_capture and not store.start:
        return None
    values = activation.registers.get
    pc = values(arch.trap_registers(activation.privilege).epc)
    privilege = arch.interrupted_privilege(values, activation.privilege)
    if pc is None or privilege is None or privilege > activation.privilege:
        return None
    space = arch.address_space(values, privilege, Use.FETCH)
    walk = None if space is None else arch.walk(space, VirtualAddress(pc), unwinder.read)
    # Once a trap within the handler has returned, the registers tell of that one, and of a wrong privilege.
    is_mapped = walk is not None and walk.physical is not None and bool(walk.flags)
    if walk is not None and is_mapped and (arch.user_flag in walk.flags) != (privilege == 0):
        return None
    registers: dict[str, int | None] = dict.fromkeys(activation.registers)
    return Activation(pc, registers, privilege, space, activation.hart, FoundBy.TRAP_REGISTERS, unwinder.t)
