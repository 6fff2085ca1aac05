"""What one RV64GC instruction does (RISC-V unprivileged ISA, chapters 2, 12 to 14, 20, 21 and 26)."""

from functools import lru_cache

from tracedbg.arch.effect import NO_CHANGES, Changes, Effect, MemoryUse
from tracedbg.arch.riscv64.expansion import expand

_LOAD, _LOAD_FP, _FENCE, _IMM, _AUIPC, _IMM32 = 0x03, 0x07, 0x0F, 0x13, 0x17, 0x1B
_STORE, _STORE_FP, _ATOMIC, _OP, _LUI, _OP32 = 0x23, 0x27, 0x2F, 0x33, 0x37, 0x3B
_FUSED, _OP_FP, _BRANCH, _JALR, _JAL, _SYSTEM = (0x43, 0x47, 0x4B, 0x4F), 0x53, 0x63, 0x67, 0x6F, 0x73
_OP_VECTOR = 0x57
_UNKNOWN = Changes.ANY | Changes.MEMORY
_SCALAR_FLOAT = {1: 2, 2: 4, 3: 8, 4: 16}
_LR, _SC = 2, 3
_EBREAK = 0x00100073
_TRAP_RETURNS = (0x00200073, 0x10200073, 0x30200073, 0x70200073)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


@lru_cache(maxsize=1 << 14)
def effect(code: bytes) -> Effect:
    """Return what the instruction that begins ``code`` (4 bytes, or 2 of a compressed one) does."""
    word = int.from_bytes(code[:4], "little")
    if word & 3 == 3:
        return _whole(word, 4)
    expanded = expand(word & 0xFFFF)
    return Effect(2, changes=_UNKNOWN) if expanded is None else _whole(expanded, 2)


def _whole(word: int, length: int) -> Effect:
    opcode, rd = word & 0x7F, word >> 7 & 31
    if opcode in (_IMM, _AUIPC, _IMM32, _OP, _LUI, _OP32):
        return Effect(length, rd)
    if opcode in (_LOAD, _STORE):
        return _integer_access(word, length)
    if opcode in (_BRANCH, _JAL, _JALR):
        return _jump(word, length)
    if opcode == _ATOMIC:
        return _atomic(word)
    if opcode == _SYSTEM:
        return _system(word, length)
    if opcode == _FENCE:
        # cbo.zero and its like store what no other field tells.
        return Effect(length, changes=_UNKNOWN if word >> 12 & 7 == 2 else NO_CHANGES)
    return _float(word, length)


def _integer_access(word: int, length: int) -> Effect:
    kind, base = word >> 12 & 7, word >> 15 & 31
    if word & 0x7F == _STORE:
        if kind > 3:
            return Effect(length, changes=_UNKNOWN)
        source, offset = word >> 20 & 31, _store_offset(word)
        use = MemoryUse(base, offset, 1 << kind, loads=False, stores=True, source=source)
        return Effect(length, memory=use)
    if kind == 7:
        return Effect(length, changes=_UNKNOWN)
    offset = _signed(word >> 20, 12)
    use = MemoryUse(base, offset, 1 << (kind & 3), loads=True, stores=False, signed=kind < 4)
    return Effect(length, word >> 7 & 31, use)


def _store_offset(word: int) -> int:
    return _signed(word >> 25 << 5 | word >> 7 & 31, 12)


def _jump(word: int, length: int) -> Effect:
    opcode, rd = word & 0x7F, word >> 7 & 31
    if opcode == _JALR:
        through = word >> 15 & 31, _signed(word >> 20, 12)
        return Effect(length, rd, jumps=True, through=through)
    if opcode == _JAL:
        high, eleven, low = word >> 12 & 0xFF, word >> 20 & 1, word >> 21 & 0x3FF
        target = _signed(word >> 31 << 20 | high << 12 | eleven << 11 | low << 1, 21)
        return Effect(length, rd, jumps=True, target=target)
    low, middle = word >> 8 & 15, word >> 25 & 63
    target = _signed(word >> 31 << 12 | (word >> 7 & 1) << 11 | middle << 5 | low << 1, 13)
    return Effect(length, jumps=True, is_conditional=True, target=target)


def _atomic(word: int) -> Effect:
    kind, base, function = word >> 12 & 7, word >> 15 & 31, word >> 27
    if kind > 3:
        return Effect(4, changes=_UNKNOWN)
    loads, stores = function != _SC, function != _LR
    # A store-conditional leaves 0 or 1 in rd, not what it loaded.
    use = MemoryUse(base, 0, 1 << kind, loads=loads, stores=stores, signed=True)
    return Effect(4, word >> 7 & 31, use)


def _system(word: int, length: int) -> Effect:
    if word in _TRAP_RETURNS:
        return Effect(4, changes=Changes.CONTROL, jumps=True)
    if word >> 12 & 7 == 4:
        return Effect(4, changes=_UNKNOWN)
    rd = word >> 7 & 31 if word >> 12 & 7 else 0
    # One that does not trap is a call of semihosting, which may fill a buffer.
    memory = Changes.MEMORY if word == _EBREAK else NO_CHANGES
    return Effect(length, rd, changes=Changes.CONTROL | Changes.FLOAT | memory)


def _float(word: int, length: int) -> Effect:
    opcode, kind, base = word & 0x7F, word >> 12 & 7, word >> 15 & 31
    if opcode in (_LOAD_FP, _STORE_FP):
        # Other widths are of vectors.
        size, stores = _SCALAR_FLOAT.get(kind), opcode == _STORE_FP
        if size is None:
            return Effect(length, changes=_UNKNOWN if stores else Changes.ANY)
        offset = _store_offset(word) if stores else _signed(word >> 20, 12)
        use = MemoryUse(base, offset, size, loads=not stores, stores=stores, integer=False)
        return Effect(length, memory=use, changes=NO_CHANGES if stores else Changes.FLOAT)
    if opcode == _OP_FP:
        # Compares, classifications, conversions and moves to an integer register.
        to_integer = word >> 27 in (0x14, 0x18, 0x1C)
        return Effect(length, word >> 7 & 31 if to_integer else 0, changes=Changes.FLOAT)
    if opcode in _FUSED:
        return Effect(length, changes=Changes.FLOAT)
    return Effect(length, changes=Changes.ANY if opcode == _OP_VECTOR else _UNKNOWN)
