"""Compressed instructions of RV64 as the whole ones that they stand for (unprivileged ISA, chapter 26).

Only what an effect needs is kept: of arithmetic the destination, of accesses and jumps all fields.
"""

_ADDI, _LUI = 0x13, 0x37
_LOAD, _LOAD_FP, _STORE, _STORE_FP = 0x03, 0x07, 0x23, 0x27
_BRANCH, _JALR, _JAL = 0x63, 0x67, 0x6F
_EBREAK = 0x00100073
_SP = 2
_WIDTH = {"b": 0, "h": 1, "w": 2, "d": 3, "bu": 4, "hu": 5}


def expand(word: int) -> int | None:
    """Return a whole instruction of the same effect; None for an encoding that is reserved or not known."""
    return (_quadrant0, _quadrant1, _quadrant2)[word & 3](word) if word else None


def _near(word: int, low: int) -> int:
    """Return one of the registers 8 to 15 that three bits name."""
    return 8 + (word >> low & 7)


def _load(opcode: int, width: str, rd: int, base: int, offset: int) -> int:
    return offset << 20 | base << 15 | _WIDTH[width] << 12 | rd << 7 | opcode


def _store(opcode: int, width: str, source: int, base: int, offset: int) -> int:
    place = offset >> 5 << 25 | (offset & 31) << 7
    return place | source << 20 | base << 15 | _WIDTH[width] << 12 | opcode


def _arithmetic(rd: int) -> int:
    return rd << 7 | _ADDI


def _quadrant0(word: int) -> int | None:
    kind, base, register = word >> 13, _near(word, 7), _near(word, 2)
    double = (word >> 10 & 7) << 3 | (word >> 5 & 3) << 6
    single = (word >> 10 & 7) << 3 | (word >> 6 & 1) << 2 | (word >> 5 & 1) << 6
    if kind == 0:
        return _arithmetic(register)
    if kind == 4:
        return _bytes_and_halves(word)
    forms = {
        1: lambda: _load(_LOAD_FP, "d", register, base, double),
        2: lambda: _load(_LOAD, "w", register, base, single),
        3: lambda: _load(_LOAD, "d", register, base, double),
        5: lambda: _store(_STORE_FP, "d", register, base, double),
        6: lambda: _store(_STORE, "w", register, base, single),
        7: lambda: _store(_STORE, "d", register, base, double),
    }
    return forms[kind]() if kind in forms else None


def _bytes_and_halves(word: int) -> int | None:
    """Return a load or store of Zcb."""
    base, register, low, high = _near(word, 7), _near(word, 2), word >> 6 & 1, word >> 5 & 1
    kind = word >> 10 & 7
    if kind == 0:
        return _load(_LOAD, "bu", register, base, high << 1 | low)
    if kind == 1:
        return _load(_LOAD, "h" if low else "hu", register, base, high << 1)
    if kind == 2:
        return _store(_STORE, "b", register, base, high << 1 | low)
    return _store(_STORE, "h", register, base, high << 1) if kind == 3 and not low else None


def _quadrant1(word: int) -> int | None:
    kind, rd = word >> 13, word >> 7 & 31
    if kind in (0, 1, 2, 3):
        return _arithmetic(rd)
    if kind == 4:
        return _arithmetic(_near(word, 7))
    return _jal(word) if kind == 5 else _branch(word)


def _jal(word: int) -> int:
    fields = ((3, 3, 1), (11, 1, 4), (2, 1, 5), (7, 1, 6), (6, 1, 7), (9, 2, 8), (8, 1, 10), (12, 1, 11))
    offset = _gather(word, fields)
    sign = 0xFF if offset >> 11 else 0
    high = (offset >> 11) << 31 | (offset >> 1 & 0x3FF) << 21 | (offset >> 11) << 20
    return high | sign << 12 | _JAL


def _branch(word: int) -> int:
    offset = _gather(word, ((3, 2, 1), (10, 2, 3), (2, 1, 5), (5, 2, 6), (12, 1, 8)))
    sign = offset >> 8
    middle = (offset >> 5 & 7) | (0x38 if sign else 0)
    high = sign << 31 | middle << 25 | (offset >> 1 & 15) << 8 | sign << 7
    return high | _near(word, 7) << 15 | (word >> 13 & 1) << 12 | _BRANCH


def _gather(word: int, fields: tuple[tuple[int, int, int], ...]) -> int:
    """Put bits [low, low + count) of ``word`` at ``to``, for each (low, count, to)."""
    return sum((word >> low & (1 << count) - 1) << to for low, count, to in fields)


def _quadrant2(word: int) -> int | None:
    kind, rd, source, high = word >> 13, word >> 7 & 31, word >> 2 & 31, word >> 12 & 1
    if kind == 0:
        return _arithmetic(rd)
    if kind == 4:
        return _moves(rd, source, high)
    load_double = high << 5 | (word >> 5 & 3) << 3 | (word >> 2 & 7) << 6
    load_single = high << 5 | (word >> 4 & 7) << 2 | (word >> 2 & 3) << 6
    store_double = (word >> 10 & 7) << 3 | (word >> 7 & 7) << 6
    store_single = (word >> 9 & 15) << 2 | (word >> 7 & 3) << 6
    forms = {
        1: lambda: _load(_LOAD_FP, "d", rd, _SP, load_double),
        2: lambda: _load(_LOAD, "w", rd, _SP, load_single),
        3: lambda: _load(_LOAD, "d", rd, _SP, load_double),
        5: lambda: _store(_STORE_FP, "d", source, _SP, store_double),
        6: lambda: _store(_STORE, "w", source, _SP, store_single),
        7: lambda: _store(_STORE, "d", source, _SP, store_double),
    }
    return forms[kind]()


def _moves(rd: int, source: int, high: int) -> int:
    if source:
        return _arithmetic(rd)
    if not rd:
        return _EBREAK
    return rd << 15 | high << 7 | _JALR
