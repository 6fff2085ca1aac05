"""AMOs with exact values, and sc that fails for each of its reasons and succeeds."""

from tests.recorder.exotics.model import Accesses, Content, Exotic, Expectation, Register, Touch
from tests.recorder.exotics.source import guest
from tests.recorder.generator import layout
from tracedbg.query import Kind

_WORD = layout.DATA + 0x10
_OLD = 0xFFFF_FFFF_8000_0001
_OPERAND = 0x0000_0001_7FFF_FFFE
_ALL = (1 << 64) - 1


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def _result(operation: str, old: int, operand: int, bits: int) -> int:
    """What memory holds afterwards, by the ISA manual's chapter on the A extension."""
    mask = (1 << bits) - 1
    a, b = old & mask, operand & mask
    signed = {"min": min, "max": max}.get(operation)
    if signed:
        return signed(_signed(a, bits), _signed(b, bits)) & mask
    plain = {
        "minu": min(a, b),
        "maxu": max(a, b),
        "swap": b,
        "add": a + b,
        "xor": a ^ b,
        "and": a & b,
        "or": a | b,
    }
    return plain[operation] & mask


def _operations() -> Exotic:
    lines = [f"  li a0, {_WORD:#x}", f"  li a1, {_OLD:#x}", f"  li a2, {_OPERAND:#x}"]
    expected: list[Expectation] = []
    for size, suffix in ((4, "w"), (8, "d")):
        for operation in ("swap", "add", "xor", "and", "or", "min", "max", "minu", "maxu"):
            label = f"{operation}_{suffix}"
            lines += ["  sd a1, 0(a0)", f"{label}: amo{operation}.{suffix} a3, a2, (a0)", "  nop"]
            old = _OLD & ((1 << 8 * size) - 1)
            new = _result(operation, _OLD, _OPERAND, 8 * size)
            expected += [
                Accesses(label, (Touch(Kind.LOAD, _WORD, size, old), Touch(Kind.STORE, _WORD, size, new))),
                Register(label, "a3", _signed(old, 8 * size) & _ALL),
            ]
    lines += ["same: amoadd.d a0, a0, (a0)", "end: quit"]
    return Exotic("amo_values", guest("\n".join(lines)), tuple(expected))


_STORE = Kind.STORE
EXOTICS = (
    _operations(),
    Exotic(
        "sc_outcomes",
        guest(
            f"""
  li a0, {_WORD:#x}
  li a1, 0x1234
none: sc.d a2, a1, (a0)
  lr.d a3, (a0)
good: sc.d a2, a1, (a0)
again: sc.d a2, x0, (a0)
  lr.d a3, (a0)
  addi a4, a0, 8
address: sc.d a2, a1, 0(a4)
  lr.d a3, (a0)
  li a5, 0x77
  sd a5, 0(a0)
value: sc.d a2, a1, (a0)
  lr.w a3, (a0)
  li a6, 0x55
word: sc.w a2, a6, (a0)
  lr.w a3, (a0)
  sw x0, 0(a0)
silent: sc.w x0, a6, (a0)
  lr.w a3, (a0)
unread: sc.w x0, a6, (a0)
end: quit
"""
        ),
        (
            Register("none", "a2", 1),
            Accesses("none", (), _STORE),
            Content("good", _WORD, 8, 0),
            Register("good", "a2", 0),
            Accesses("good", (Touch(_STORE, _WORD, 8, 0x1234),), _STORE),
            Content("again", _WORD, 8, 0x1234),
            Register("again", "a2", 1),
            Accesses("again", (), _STORE),
            Register("address", "a2", 1),
            Accesses("address", (), _STORE),
            Register("value", "a2", 1),
            Accesses("value", (), _STORE),
            Register("word", "a2", 0),
            Accesses("word", (Touch(_STORE, _WORD, 4, 0x55),), _STORE),
            Accesses("silent", (), _STORE),
            Content("unread", _WORD, 4, 0),
            Accesses("unread", (Touch(_STORE, _WORD, 4, 0x55),), _STORE),
            Content("end", _WORD, 4, 0x55),
        ),
    ),
)
