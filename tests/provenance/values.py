"""What instructions compute, from their text and the values of their sources (unprivileged ISA, I, M, Zb)."""

from collections.abc import Callable, Mapping

BITS = 64
MASK = (1 << BITS) - 1


def signed(value: int, bits: int = BITS) -> int:
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def word(value: int) -> int:
    return signed(value, 32)


def divided(first: int, second: int, over: int) -> int:
    if second == 0:
        return over
    quotient = abs(first) // abs(second)
    return quotient if (first < 0) == (second < 0) else -quotient


def rest(first: int, second: int) -> int:
    if second == 0:
        return first
    left = abs(first) % abs(second)
    return left if first >= 0 else -left


Compute = Callable[[int, int], int]

TWO: dict[str, Compute] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "sll": lambda a, b: a << (b & 63),
    "srl": lambda a, b: a >> (b & 63),
    "sra": lambda a, b: signed(a) >> (b & 63),
    "slt": lambda a, b: int(signed(a) < signed(b)),
    "sltu": lambda a, b: int(a < b & MASK),
    "addw": lambda a, b: word(a + b),
    "subw": lambda a, b: word(a - b),
    "sllw": lambda a, b: word(a << (b & 31)),
    "srlw": lambda a, b: word((a & 0xFFFFFFFF) >> (b & 31)),
    "sraw": lambda a, b: word(a) >> (b & 31),
    "mul": lambda a, b: a * b,
    "mulh": lambda a, b: signed(a) * signed(b) >> 64,
    "mulhu": lambda a, b: a * b >> 64,
    "mulw": lambda a, b: word(a * b),
    "div": lambda a, b: divided(signed(a), signed(b), -1),
    "divu": lambda a, b: divided(a, b, -1),
    "divw": lambda a, b: divided(word(a), word(b), -1),
    "divuw": lambda a, b: word(divided(a & 0xFFFFFFFF, b & 0xFFFFFFFF, -1)),
    "rem": lambda a, b: rest(signed(a), signed(b)),
    "remu": rest,
    "remw": lambda a, b: rest(word(a), word(b)),
    "remuw": lambda a, b: word(rest(a & 0xFFFFFFFF, b & 0xFFFFFFFF)),
    "sh1add": lambda a, b: (a << 1) + b,
    "sh2add": lambda a, b: (a << 2) + b,
    "sh3add": lambda a, b: (a << 3) + b,
    "add.uw": lambda a, b: (a & 0xFFFFFFFF) + b,
    "andn": lambda a, b: a & ~b,
    "orn": lambda a, b: a | ~b,
    "xnor": lambda a, b: ~(a ^ b),
    "min": lambda a, b: min(signed(a), signed(b)),
    "minu": min,
    "max": lambda a, b: max(signed(a), signed(b)),
    "maxu": max,
}
ONE: dict[str, Callable[[int], int]] = {
    "mv": lambda a: a,
    "neg": lambda a: -a,
    "negw": lambda a: word(-a),
    "not": lambda a: ~a,
    "seqz": lambda a: int(a == 0),
    "snez": lambda a: int(a != 0),
    "sltz": lambda a: int(signed(a) < 0),
    "sgtz": lambda a: int(signed(a) > 0),
    "sext.w": word,
    "zext.b": lambda a: a & 0xFF,
    "sext.b": lambda a: signed(a, 8),
    "sext.h": lambda a: signed(a, 16),
    "zext.h": lambda a: a & 0xFFFF,
    "zext.w": lambda a: a & 0xFFFFFFFF,
}


def computed(mnemonic: str, operands: str, sources: Mapping[str, int]) -> int | None:
    """The value that an instruction leaves in its first operand; None for one that is not in the tables.

    KeyError where it takes a register that is none of ``sources``.
    """
    _, *others = operands.split(", ")
    values = [_value(text, sources) for text in others]
    if mnemonic == "li" or (mnemonic == "lui" and len(values) == 1):
        shift = 12 if mnemonic == "lui" else 0
        return (signed(values[0] << shift, 32) if shift else values[0]) & MASK
    if mnemonic in ONE and len(values) == 1:
        return ONE[mnemonic](values[0]) & MASK
    for name in (mnemonic, _without_i(mnemonic)):
        if name in TWO and len(values) == 2:
            return TWO[name](values[0], values[1]) & MASK
    return None


def _without_i(mnemonic: str) -> str:
    """The instruction on two registers for the one with an immediate: sltiu, addiw, xori."""
    for end in ("iu", "iw", "i"):
        if mnemonic.endswith(end):
            return mnemonic[: -len(end)] + end[1:]
    return mnemonic


def _value(text: str, sources: Mapping[str, int]) -> int:
    if text == "zero":
        return 0
    try:
        return int(text, 0) & MASK
    except ValueError:
        return sources[text]
