"""Registers of a moment as the protocol writes them: hexadecimal digits, ``x`` where a value is not known."""

from tracedbg.arch import PC, PRIVILEGE, DebuggerRegister
from tracedbg.state import Moment


def register_text(moment: Moment, register: DebuggerRegister) -> str:
    """Return a register's bytes in order of address, two digits each."""
    size = register.bits // 8
    value = _value(moment, register.source)
    return "xx" * size if value is None else value.to_bytes(size, "little").hex()


def _value(moment: Moment, source: str) -> int | None:
    if source == PC:
        return moment.pc
    if source == PRIVILEGE:
        return moment.privilege
    return moment.registers[source]
