"""Instructions that capstone 5 does not know, by table.

Bit manipulation (Zba, Zbb, Zbc, Zbs), Zicond, cache blocks (Zicbom, Zicboz), Svinval and the fences of
the hypervisor extension: RISC-V ISA manual vol. I, 28 and 12, vol. II.
"""

INTEGER_NAMES = (
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4", "a5",
    "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4", "t5", "t6",
)  # fmt: skip

# By (opcode, funct3, funct7): rd, rs1, rs2.
_THREE_REGISTERS = {
    (0x3B, 0, 0x04): "add.uw",
    (0x33, 2, 0x10): "sh1add", (0x33, 4, 0x10): "sh2add", (0x33, 6, 0x10): "sh3add",
    (0x3B, 2, 0x10): "sh1add.uw", (0x3B, 4, 0x10): "sh2add.uw", (0x3B, 6, 0x10): "sh3add.uw",
    (0x33, 7, 0x20): "andn", (0x33, 6, 0x20): "orn", (0x33, 4, 0x20): "xnor",
    (0x33, 4, 0x05): "min", (0x33, 5, 0x05): "minu", (0x33, 6, 0x05): "max", (0x33, 7, 0x05): "maxu",
    (0x33, 1, 0x30): "rol", (0x33, 5, 0x30): "ror", (0x3B, 1, 0x30): "rolw", (0x3B, 5, 0x30): "rorw",
    (0x33, 1, 0x05): "clmul", (0x33, 3, 0x05): "clmulh", (0x33, 2, 0x05): "clmulr",
    (0x33, 1, 0x24): "bclr", (0x33, 5, 0x24): "bext", (0x33, 1, 0x34): "binv", (0x33, 1, 0x14): "bset",
    (0x33, 5, 0x07): "czero.eqz", (0x33, 7, 0x07): "czero.nez",
}  # fmt: skip

# By (opcode, funct3, upper 12 bits): rd, rs1.
_TWO_REGISTERS = {
    (0x13, 1, 0x600): "clz", (0x13, 1, 0x601): "ctz", (0x13, 1, 0x602): "cpop",
    (0x1B, 1, 0x600): "clzw", (0x1B, 1, 0x601): "ctzw", (0x1B, 1, 0x602): "cpopw",
    (0x13, 1, 0x604): "sext.b", (0x13, 1, 0x605): "sext.h", (0x3B, 4, 0x080): "zext.h",
    (0x13, 5, 0x287): "orc.b", (0x13, 5, 0x6B8): "rev8",
}  # fmt: skip

# By (opcode, funct3, upper 6 bits): rd, rs1, a shift of 6 bits.
_SHIFTS = {
    (0x1B, 1, 0x02): "slli.uw", (0x13, 5, 0x18): "rori", (0x13, 1, 0x12): "bclri",
    (0x13, 5, 0x12): "bexti", (0x13, 1, 0x1A): "binvi", (0x13, 1, 0x0A): "bseti",
}  # fmt: skip

_CACHE_BLOCKS = {0: "cbo.inval", 1: "cbo.clean", 2: "cbo.flush", 4: "cbo.zero"}
_FENCES = {
    0x0B: "sinval.vma", 0x11: "hfence.vvma", 0x31: "hfence.gvma", 0x13: "hinval.vvma", 0x33: "hinval.gvma",
}  # fmt: skip
_WHOLE = {0x18000073: "sfence.w.inval", 0x18100073: "sfence.inval.ir", 0x0100000F: "pause"}


def decode_extension(word: int) -> tuple[str, str] | None:
    """The mnemonic and operands of a 32-bit instruction of these extensions, else None."""
    if word & 3 != 3:
        return None
    if word in _WHOLE:
        return _WHOLE[word], ""
    opcode, function = word & 0x7F, (word >> 12) & 7
    if opcode in (0x13, 0x1B, 0x33, 0x3B):
        return _bit_manipulation(word, opcode, function)
    if opcode == 0x0F and function == 2 and (word >> 7) & 31 == 0 and word >> 20 in _CACHE_BLOCKS:
        return _CACHE_BLOCKS[word >> 20], f"({_name(word, 15)})"
    if opcode == 0x73 and function == 0 and (word >> 7) & 31 == 0 and word >> 25 in _FENCES:
        return _FENCES[word >> 25], _fence_operands(word)
    return None


def _name(word: int, low: int) -> str:
    return INTEGER_NAMES[(word >> low) & 31]


def _bit_manipulation(word: int, opcode: int, function: int) -> tuple[str, str] | None:
    rd, rs1, rs2 = _name(word, 7), _name(word, 15), _name(word, 20)
    mnemonic = _TWO_REGISTERS.get((opcode, function, word >> 20))
    if mnemonic is not None:
        return mnemonic, f"{rd}, {rs1}"
    mnemonic = _THREE_REGISTERS.get((opcode, function, word >> 25))
    if mnemonic is not None:
        if mnemonic == "add.uw" and rs2 == "zero":
            return "zext.w", f"{rd}, {rs1}"
        return mnemonic, f"{rd}, {rs1}, {rs2}"
    mnemonic = _SHIFTS.get((opcode, function, word >> 26))
    if mnemonic is not None:
        return mnemonic, f"{rd}, {rs1}, {(word >> 20) & 63:#x}"
    if (opcode, function, word >> 25) == (0x1B, 5, 0x30):
        return "roriw", f"{rd}, {rs1}, {(word >> 20) & 31:#x}"
    return None


def _fence_operands(word: int) -> str:
    rs1, rs2 = _name(word, 15), _name(word, 20)
    if rs2 != "zero":
        return f"{rs1}, {rs2}"
    return "" if rs1 == "zero" else rs1
