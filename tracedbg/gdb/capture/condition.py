"""Conditions on a guest that stands still, as people write them: ``a0>=0x80000000``, ``*0x40010e00:8!=0``."""

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from tracedbg.errors import UsageError
from tracedbg.gdb.capture.guest import LiveGuest

_FORM = re.compile(
    r"\s*(?:\*(?P<address>\w+)(?::(?P<size>[1248]))?|(?P<register>\w+))"
    r"\s*(?P<sign>==|!=|<=|>=|<|>)\s*(?P<value>\w+)\s*"
)
_SIGNS: dict[str, Callable[[int, int], bool]] = {
    "==": operator.eq, "!=": operator.ne, "<=": operator.le, ">=": operator.ge, "<": operator.lt,
    ">": operator.gt,
}  # fmt: skip
_HINT = "write REGISTER or *ADDRESS:SIZE, one of == != < <= > >=, and a number or symbol: a0>=0x80000000"

FindAddress = Callable[[str], int]
"""Returns a number, or the address of a symbol; raises UsageError."""


@dataclass(frozen=True)
class Condition:
    """A register, or ``size`` bytes at a virtual address, compared without sign with a value."""

    text: str
    register: str | None
    address: int
    size: int
    sign: str
    value: int

    def holds(self, guest: LiveGuest, hart: int) -> bool:
        """Say whether it holds; what is not known holds no condition."""
        found = self._memory(guest, hart) if self.register is None else self._register(guest, hart)
        return found is not None and _SIGNS[self.sign](found, self.value)

    def _register(self, guest: LiveGuest, hart: int) -> int | None:
        assert self.register is not None
        if self.register == "pc":
            return guest.harts[hart].pc
        view = guest.arch.views.get(self.register)
        if view is not None:
            return view.of(lambda name: guest.value(hart, name))
        return guest.value(hart, guest.arch.aliases.get(self.register, self.register))

    def _memory(self, guest: LiveGuest, hart: int) -> int | None:
        physical = guest.translate(hart, self.address)
        data = None if physical is None else guest.memory.read(physical, self.size)
        return None if data is None or len(data) < self.size else int.from_bytes(data, "little")


def parse_condition(text: str, guest: LiveGuest, find_address: FindAddress) -> Condition:
    """Return the condition that a text says; UsageError with what is valid."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise UsageError(f"{text}: no condition; {_HINT}")
    register = match["register"]
    arch = guest.arch
    if register is not None and not (
        register == "pc" or register in arch.views or arch.aliases.get(register, register) in arch.registers
    ):
        raise UsageError(f"{register}: no register of the guest; {_HINT}")
    address = 0 if register is not None else find_address(match["address"])
    value = find_address(match["value"])
    return Condition(text.strip(), register, address, int(match["size"] or 8), match["sign"], value)
