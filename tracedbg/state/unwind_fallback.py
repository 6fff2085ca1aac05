"""A caller where no unwind rules tell: by return address register, frame pointer, or a look at the stack.

All three believe only in addresses right after a call that ran, and where that call's target is in its
encoding, only if it leads to the function whose caller is looked for.
"""

from tracedbg.ids import VirtualAddress
from tracedbg.state.activation import Activation, Unwinder
from tracedbg.state.frame import FoundBy

Registers = dict[str, int | None]

SCANNED_WORDS = 512
FRAME_LIMIT = 1 << 16
"""Bytes that a frame, and the code from a function's first instruction on, may have."""


def caller_by_fallback(unwinder: Unwinder, activation: Activation) -> Activation | None:
    """Return the caller by the first way that finds one."""
    return (
        _by_return_address(unwinder, activation)
        or _by_frame_pointer(unwinder, activation)
        or _by_scan(unwinder, activation)
    )


def _returns_from(unwinder: Unwinder, activation: Activation, address: int) -> bool:
    """Say whether ``address`` lies after a call that ran and may have called the activation's function."""
    calls = [found for found in unwinder.recording.code.ending_at(address) if found.is_call]
    symbol = unwinder.symbol(activation)
    for call in calls:
        if call.target is None:
            return True
        if symbol is not None and call.target == symbol.start:
            return True
        if symbol is None and 0 <= activation.pc - call.target < FRAME_LIMIT:
            return True
    return False


def _by_return_address(unwinder: Unwinder, activation: Activation) -> Activation | None:
    """Take the return address register while it is live, unless it leads back into the same function."""
    address = activation.registers.get(unwinder.arch.return_address)
    if activation.live is None or address is None or not _returns_from(unwinder, activation, address):
        return None
    symbol, around = unwinder.symbol(activation), unwinder.recording.symbols.at(VirtualAddress(address - 1))
    if symbol is None or around is None or symbol.start == around.start:
        return None
    kept = {*unwinder.arch.callee_saved, *unwinder.arch.unchanged, unwinder.arch.stack_pointer}
    registers = {name: value if name in kept else None for name, value in activation.registers.items()}
    return activation.caller(address, registers, FoundBy.RETURN_ADDRESS, None)


def _by_frame_pointer(unwinder: Unwinder, activation: Activation) -> Activation | None:
    arch = unwinder.arch
    pointer, sp = activation.registers.get(arch.frame_pointer), unwinder.stack_pointer(activation)
    if pointer is None or sp is None or not sp < pointer <= sp + FRAME_LIMIT or pointer % arch.word_size:
        return None
    link = pointer + arch.frame_link.return_address
    address = unwinder.word(activation, link)
    if address is None or not _returns_from(unwinder, activation, address):
        return None
    saved = unwinder.word(activation, pointer + arch.frame_link.frame_pointer)
    registers = _registers(unwinder, activation, pointer, saved)
    return activation.caller(address, registers, FoundBy.FRAME_POINTER, link)


def _by_scan(unwinder: Unwinder, activation: Activation) -> Activation | None:
    sp, size = unwinder.stack_pointer(activation), unwinder.arch.word_size
    if sp is None or sp % size:
        return None
    for slot in range(sp, sp + SCANNED_WORDS * size, size):
        address = unwinder.word(activation, slot)
        if address is None:
            return None
        if _returns_from(unwinder, activation, address):
            registers = _registers(unwinder, activation, slot + size, None)
            return activation.caller(address, registers, FoundBy.SCAN, slot)
    return None


def _registers(unwinder: Unwinder, activation: Activation, sp: int, pointer: int | None) -> Registers:
    """Return a caller's registers: its stack and frame pointers, and what functions never change."""
    registers: dict[str, int | None] = dict.fromkeys(activation.registers)
    for name in unwinder.arch.unchanged:
        registers[name] = activation.registers[name]
    return {**registers, unwinder.arch.stack_pointer: sp, unwinder.arch.frame_pointer: pointer}
