"""The data flow of 16-bit instructions: C with D, and Zcb (unprivileged ISA, chapters 28 and 29)."""

from tracedbg.arch.dataflow import OTHER, PROGRAM_COUNTER, UNKNOWN, Dataflow, Operation, Result
from tracedbg.arch.riscv64.flows import computed, jump, load, store
from tracedbg.arch.riscv64.registers import FLOAT, INTEGER

_RA, _SP = 1, 2


def compressed(word: int) -> Dataflow:
    """Return the data flow of a 16-bit encoding."""
    return _QUADRANTS[word & 3](word, word >> 13)


def _short(word: int, low: int) -> int:
    return 8 + (word >> low & 7)


def _gather(word: int, *fields: tuple[int, int, int]) -> int:
    """Bits [low, low + count) of ``word`` put at ``to``, for each (low, count, to)."""
    return sum((word >> low & (1 << count) - 1) << to for low, count, to in fields)


def _quadrant0(word: int, kind: int) -> Dataflow:
    other, base = _short(word, 2), _short(word, 7)
    double = _gather(word, (10, 3, 3), (5, 2, 6))
    single = _gather(word, (10, 3, 3), (6, 1, 2), (5, 1, 6))
    match kind:
        case 0:
            return computed(other, _SP) if word >> 5 else UNKNOWN
        case 1:
            return load(FLOAT[other], base, double)
        case 2:
            return load(INTEGER[other], base, single)
        case 3:
            return load(INTEGER[other], base, double)
        case 5:
            return store(FLOAT[other], base, double)
        case 6:
            return store(INTEGER[other], base, single)
        case 7:
            return store(INTEGER[other], base, double)
    return _short_accesses(word, other, base)


def _short_accesses(word: int, other: int, base: int) -> Dataflow:
    """Zcb: bytes and halfwords."""
    match word >> 10 & 7:
        case 0:
            return load(INTEGER[other], base, _gather(word, (6, 1, 0), (5, 1, 1)))
        case 1:
            return load(INTEGER[other], base, _gather(word, (5, 1, 1)))
        case 2:
            return store(INTEGER[other], base, _gather(word, (6, 1, 0), (5, 1, 1)))
        case 3:
            return store(INTEGER[other], base, _gather(word, (5, 1, 1)))
    return UNKNOWN


def _quadrant1(word: int, kind: int) -> Dataflow:
    rd, immediate = word >> 7 & 31, _gather(word, (2, 5, 0), (12, 1, 5))
    match kind:
        case 0 | 1:
            return computed(rd, rd)
        case 2:
            return computed(rd)
        case 3:
            if not immediate:
                return OTHER
            return computed(rd, rd) if rd == _SP else computed(rd)
        case 4:
            return _arithmetic(word)
        case 5:
            return jump(0, None)
    return Dataflow(Operation.BRANCH, (Result(PROGRAM_COUNTER, (INTEGER[_short(word, 7)],)),))


def _arithmetic(word: int) -> Dataflow:
    rd = _short(word, 7)
    if word >> 10 & 3 != 3 or word >> 5 & 0x83 == 0x83:
        return computed(rd, rd)
    return computed(rd, rd, _short(word, 2))


def _quadrant2(word: int, kind: int) -> Dataflow:
    rd, rs2 = word >> 7 & 31, word >> 2 & 31
    double = _gather(word, (5, 2, 3), (12, 1, 5), (2, 3, 6))
    stored = _gather(word, (10, 3, 3), (7, 3, 6))
    match kind:
        case 0:
            return computed(rd, rd)
        case 1:
            return load(FLOAT[rd], _SP, double)
        case 2:
            return load(INTEGER[rd], _SP, _gather(word, (4, 3, 2), (12, 1, 5), (2, 2, 6)))
        case 3:
            return load(INTEGER[rd], _SP, double)
        case 5:
            return store(FLOAT[rs2], _SP, stored)
        case 6:
            return store(INTEGER[rs2], _SP, _gather(word, (9, 4, 2), (7, 2, 6)))
        case 7:
            return store(INTEGER[rs2], _SP, stored)
    return _registers(word >> 12 & 1, rd, rs2)


def _registers(adds: int, rd: int, rs2: int) -> Dataflow:
    if rs2:
        return computed(rd, rd, rs2) if adds else computed(rd, rs2, copies=True)
    if rd:
        return jump(_RA if adds else 0, rd)
    return Dataflow(Operation.TRAP) if adds else UNKNOWN


_QUADRANTS = {0: _quadrant0, 1: _quadrant1, 2: _quadrant2}
