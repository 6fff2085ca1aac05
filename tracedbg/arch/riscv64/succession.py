"""What runs after an RV64GC instruction (unprivileged ISA 2.5), and which instructions cannot trap."""

from collections.abc import Callable, Sequence

from tracedbg.arch.base import Values
from tracedbg.arch.riscv64.effect import effect
from tracedbg.arch.riscv64.expansion import expand
from tracedbg.ids import VirtualAddress

_WFI = 0x1050_0073
_TIMEOUT_WAIT = 1 << 21
_MACHINE, _SUPERVISOR = 3, 1


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


_TAKEN: dict[int, Callable[[int, int], bool]] = {
    0: lambda first, second: first == second,
    1: lambda first, second: first != second,
    4: lambda first, second: _signed(first) < _signed(second),
    5: lambda first, second: _signed(first) >= _signed(second),
    6: lambda first, second: first < second,
    7: lambda first, second: first >= second,
}


def following(code: bytes, pc: int, words: Sequence[int | None]) -> VirtualAddress | None:
    """Return where an instruction that retires leads to, None where that is not known."""
    what = effect(code)
    places = what.successors(pc, words)
    if places is None:
        return None
    if what.is_conditional:
        word = (
            int.from_bytes(code, "little") if what.length == 4 else expand(int.from_bytes(code[:2], "little"))
        )
        is_taken = None if word is None else _is_taken(word, words)
        return None if is_taken is None else VirtualAddress(places[0 if is_taken else 1])
    return VirtualAddress(places[0])


def _is_taken(branch: int, words: Sequence[int | None]) -> bool | None:
    first, second = words[branch >> 15 & 31], words[branch >> 20 & 31]
    compare = _TAKEN.get(branch >> 12 & 7)
    return None if compare is None or first is None or second is None else compare(first, second)


def surely_retires(code: bytes, privilege: int, values: Values) -> bool:
    """Say whether an instruction cannot trap: one of integers alone, or WFI where nothing forbids it."""
    if int.from_bytes(code, "little") == _WFI:
        status = values("mstatus")
        may_wait = status is not None and not status & _TIMEOUT_WAIT
        return privilege == _MACHINE or (privilege == _SUPERVISOR and may_wait)
    what = effect(code)
    return what.memory is None and not what.changes
