"""Turns capstone's RISC-V texts into those of binutils: no ``c.``, its aliases, absolute targets."""

import re

_BOTH_OPERANDS = {
    "addi", "addiw", "slli", "srli", "srai", "andi", "add", "and", "or", "xor", "sub", "addw", "subw",
    "addi16sp",
}  # fmt: skip
_RENAMED = {
    "addi16sp": "addi", "addi4spn": "addi", "lwsp": "lw", "ldsp": "ld", "swsp": "sw", "sdsp": "sd",
    "fldsp": "fld", "fsdsp": "fsd",
}  # fmt: skip
_HEXADECIMAL = {
    "lui", "auipc", "slli", "srli", "srai", "slliw", "srliw", "sraiw", "slli.uw", "rori", "roriw",
    "bclri", "bexti", "binvi", "bseti", ".insn",
}  # fmt: skip
_LAST_DECIMAL = re.compile(r"(?<= )[0-9]+$")
_NUMBER = re.compile(r"(-?)0x([0-9a-f]+)")


def readable(mnemonic: str, operands: str, target: int | None) -> tuple[str, str]:
    """The final mnemonic and operands; ``target`` replaces the relative offset at the end.

    Immediates are decimal, but for shifts, upper immediates and targets.
    """
    if mnemonic.startswith("c."):
        mnemonic, operands = _expanded(mnemonic[2:], operands)
    if target is not None:
        kept, comma, _ = operands.rpartition(", ")
        return mnemonic, f"{kept}{comma}{target:#x}"
    mnemonic, operands = _aliased(mnemonic, operands)
    if mnemonic in _HEXADECIMAL:
        operands = _LAST_DECIMAL.sub(lambda match: hex(int(match[0])), operands)
    elif not mnemonic.startswith("csr"):
        operands = _NUMBER.sub(lambda match: f"{match[1]}{int(match[2], 16)}", operands)
    return mnemonic, operands


def is_reserved(word: int) -> bool:
    """C.LUI and C.ADDI16SP with immediate 0, which capstone decodes and a hart does not (vol. I, 26.5)."""
    return word & 0xF07F == 0x6001


def _expanded(mnemonic: str, operands: str) -> tuple[str, str]:
    if mnemonic in _BOTH_OPERANDS:
        register, _, rest = operands.partition(", ")
        operands = f"{register}, {register}, {rest}"
    return _RENAMED.get(mnemonic, mnemonic), operands


def _aliased(mnemonic: str, operands: str) -> tuple[str, str]:
    """Aliases that binutils has and capstone has not."""
    parts = operands.split(", ")
    match mnemonic, parts:
        case "jr", ["ra"]:
            return "ret", ""
        case "addi", [rd, "zero", value]:
            return "li", f"{rd}, {value}"
        case "mv", [rd, "zero"]:
            return "li", f"{rd}, 0"
        case "addiw", [rd, rs, "0"]:
            return "sext.w", f"{rd}, {rs}"
        case "andi", [rd, rs, "0xff"]:
            return "zext.b", f"{rd}, {rs}"
        case "jalr" | "jr", [*rd, rs, offset] if offset.lstrip("-")[0].isdigit():
            place = rs if offset == "0" else f"{offset}({rs})"
            # Register zero makes it a jump; ra goes without saying.
            shown = [] if rd in (["zero"], ["ra"]) else rd
            return "jr" if rd == ["zero"] else mnemonic, ", ".join((*shown, place))
    return mnemonic, operands
