"""A caller's registers by the call frame information of its callee (DWARF 5, 6.4.4)."""

from tracedbg.state.activation import Activation, Unwinder
from tracedbg.state.frame import FoundBy
from tracedbg.symbols import (
    AtCfa,
    CfaRule,
    InRegister,
    RegisterRule,
    SameValue,
    Undefined,
    Unsupported,
    UnwindRow,
    ValueOfCfa,
)


def find_cfa(unwinder: Unwinder, activation: Activation, row: UnwindRow) -> int | None:
    """Return the canonical frame address, None where it cannot be computed."""
    if not isinstance(row.cfa, CfaRule):
        return None
    name = unwinder.arch.dwarf_register(row.cfa.register)
    base = None if name is None else activation.registers.get(name)
    return None if base is None else _wrapped(unwinder, base + row.cfa.offset)


def is_outermost(row: UnwindRow) -> bool:
    """Say whether the rules state that there is no caller."""
    return isinstance(row.return_address, Undefined)


def caller_by_cfi(unwinder: Unwinder, activation: Activation, row: UnwindRow) -> Activation | None:
    """Return the caller, None where the rules or what they need do not tell."""
    cfa = find_cfa(unwinder, activation, row)
    if cfa is None or isinstance(row.return_address, Unsupported):
        return None
    pc = _value(unwinder, activation, cfa, row.return_address_register, row.return_address)
    if pc is None:
        return None
    registers = _preserved(unwinder, activation)
    for number, rule in row.rules.items():
        name = unwinder.arch.dwarf_register(number)
        if name is not None:
            registers[name] = _value(unwinder, activation, cfa, number, rule)
    registers[unwinder.arch.stack_pointer] = cfa
    link = return_address_slot(unwinder, activation, row)
    caller = activation.caller(pc, registers, FoundBy.CFI, link)
    if not row.signal_frame:
        return caller
    return Activation(
        pc, registers, caller.privilege, caller.space, caller.hart, FoundBy.CFI, live=unwinder.t
    )


def return_address_slot(unwinder: Unwinder, activation: Activation, row: UnwindRow) -> int | None:
    """Return the stack address that holds the return address, None where it is in no memory."""
    cfa = find_cfa(unwinder, activation, row)
    rule = row.return_address
    return _wrapped(unwinder, cfa + rule.offset) if cfa is not None and isinstance(rule, AtCfa) else None


def _preserved(unwinder: Unwinder, activation: Activation) -> dict[str, int | None]:
    """Return the registers that a callee leaves as they were; others are not known in the caller."""
    arch = unwinder.arch
    scratch = {*arch.integer_registers, *arch.float_registers} - arch.callee_saved - arch.unchanged
    return {name: None if name in scratch else value for name, value in activation.registers.items()}


def _value(
    unwinder: Unwinder, activation: Activation, cfa: int, number: int, rule: RegisterRule
) -> int | None:
    match rule:
        case AtCfa(offset):
            return unwinder.word(activation, cfa + offset)
        case ValueOfCfa(offset):
            return _wrapped(unwinder, cfa + offset)
        case InRegister(other):
            return _register(unwinder, activation, other)
        case SameValue():
            return _register(unwinder, activation, number)
        case Undefined() | Unsupported():
            return None


def _register(unwinder: Unwinder, activation: Activation, number: int) -> int | None:
    name = unwinder.arch.dwarf_register(number)
    return None if name is None else activation.registers.get(name)


def _wrapped(unwinder: Unwinder, address: int) -> int:
    return address % (1 << 8 * unwinder.arch.word_size)
