"""The data flow of RV64GC with Zba, Zbb, Zbc, Zbs, Zcb, Zicond and Zacas (unprivileged ISA, listings).

Vector instructions and Zcmp are unknown.
"""

from functools import lru_cache

from tracedbg.arch.dataflow import (
    MEMORY,
    OTHER,
    PROGRAM_COUNTER,
    UNKNOWN,
    Address,
    Dataflow,
    Operation,
    Result,
)
from tracedbg.arch.riscv64.compressed import compressed
from tracedbg.arch.riscv64.csrs import NUMBERS, PARTS, csr_source
from tracedbg.arch.riscv64.flows import FLOAT_DIRTY, computed, jump, load, store
from tracedbg.arch.riscv64.registers import FLOAT, INTEGER

_LOADS = range(7)
_STORES = range(4)
_FLOAT_WIDTHS = range(1, 5)
_ECALL, _EBREAK, _SRET, _WFI, _MRET = 0x000, 0x001, 0x102, 0x105, 0x302
_FENCES = (0x09, 0x0B, 0x0C, 0x11, 0x13, 0x31, 0x33)
_CBO_ZERO = 4


@lru_cache(maxsize=65536)
def dataflow(data: bytes) -> Dataflow:
    """Return the data flow of the instruction whose bytes these are, UNKNOWN for one that is not known."""
    word = int.from_bytes(data, "little")
    if len(data) == 2 and word & 3 != 3:
        return compressed(word)
    decode = _BY_OPCODE.get(word & 0x7F) if len(data) == 4 else None
    return UNKNOWN if decode is None else decode(word)


def _rd(word: int) -> int:
    return word >> 7 & 31


def _rs1(word: int) -> int:
    return word >> 15 & 31


def _rs2(word: int) -> int:
    return word >> 20 & 31


def _function(word: int) -> int:
    return word >> 12 & 7


def _signed12(value: int) -> int:
    return value - 4096 if value & 0x800 else value


def _upper(word: int) -> Dataflow:
    return computed(_rd(word))


def _jal(word: int) -> Dataflow:
    return jump(_rd(word), None)


def _jalr(word: int) -> Dataflow:
    return jump(_rd(word), _rs1(word)) if _function(word) == 0 else UNKNOWN


def _branch(word: int) -> Dataflow:
    names = tuple(INTEGER[number] for number in (_rs1(word), _rs2(word)) if number)
    return Dataflow(Operation.BRANCH, (Result(PROGRAM_COUNTER, names),))


def _load(word: int) -> Dataflow:
    if _function(word) not in _LOADS:
        return UNKNOWN
    return load(INTEGER[_rd(word)], _rs1(word), _signed12(word >> 20))


def _store_offset(word: int) -> int:
    return _signed12(word >> 25 << 5 | _rd(word))


def _store(word: int) -> Dataflow:
    if _function(word) not in _STORES:
        return UNKNOWN
    return store(INTEGER[_rs2(word)], _rs1(word), _store_offset(word))


def _float_load(word: int) -> Dataflow:
    if _function(word) not in _FLOAT_WIDTHS:
        return UNKNOWN
    return load(FLOAT[_rd(word)], _rs1(word), _signed12(word >> 20))


def _float_store(word: int) -> Dataflow:
    if _function(word) not in _FLOAT_WIDTHS:
        return UNKNOWN
    return store(FLOAT[_rs2(word)], _rs1(word), _store_offset(word))


def _immediate(word: int) -> Dataflow:
    copies = word & 0x7F == 0x13 and _function(word) == 0 and word >> 20 == 0
    return computed(_rd(word), _rs1(word), copies=copies)


def _register(word: int) -> Dataflow:
    adds = word & 0x7F == 0x33 and _function(word) == 0 and word >> 25 == 0
    copies = adds and not (_rs1(word) and _rs2(word))
    return computed(_rd(word), _rs1(word), _rs2(word), copies=copies)


def _atomic(word: int) -> Dataflow:
    if _function(word) > 3:
        return UNKNOWN
    what, address = word >> 27, Address(INTEGER[_rs1(word)] if _rs1(word) else None, 0)
    operand = (INTEGER[_rs2(word)],) if _rs2(word) else ()
    loaded = (Result(INTEGER[_rd(word)], (MEMORY,)),) if _rd(word) else ()
    match what:
        case 2:
            return Dataflow(Operation.LOAD_RESERVED, loaded, address)
        case 3:
            status = (Result(INTEGER[_rd(word)], ("reservation",)),) if _rd(word) else ()
            return Dataflow(Operation.STORE_CONDITIONAL, (*status, Result(MEMORY, operand)), address)
        case 1:
            stored = operand
        case 5:
            expected = (INTEGER[_rd(word)],) if _rd(word) else ()
            stored = (*operand, MEMORY, *expected)
        case _:
            stored = (MEMORY, *operand)
    return Dataflow(Operation.ATOMIC, (*loaded, Result(MEMORY, stored)), address)


def _system(word: int) -> Dataflow:
    function = _function(word)
    if function == 0:
        return _environment(word)
    return UNKNOWN if function == 4 else _control(word)


def _environment(word: int) -> Dataflow:
    what = word >> 20
    if what == _ECALL:
        return Dataflow(Operation.TRAP)
    if what == _EBREAK:
        return Dataflow(Operation.TRAP, (Result("a0", ("semihosting",)),))
    if what in (_SRET, _MRET):
        saved = "sepc" if what == _SRET else "mepc"
        results = (Result(PROGRAM_COUNTER, (saved,)), Result("mstatus", ("mstatus",)))
        return Dataflow(Operation.TRAP_RETURN, results)
    return OTHER if what in (_WFI, 0x00D, 0x01D) or word >> 25 in _FENCES else UNKNOWN


def _control(word: int) -> Dataflow:
    number, function = word >> 20, _function(word)
    name = csr_source(number)
    results = [Result(INTEGER[_rd(word)], (name,))] if _rd(word) else []
    swaps = function & 3 == 1
    if number in NUMBERS and (swaps or _rs1(word)):
        operand = (INTEGER[_rs1(word)],) if function < 4 and _rs1(word) else ()
        kept = () if swaps and number not in PARTS else (name,)
        results.append(Result(name, (*kept, *operand)))
        if name == "fcsr":
            results.append(FLOAT_DIRTY)
    return Dataflow(Operation.CONTROL, tuple(results))


def _fence(word: int) -> Dataflow:
    if _function(word) == 2 and word >> 20 == _CBO_ZERO:
        return store("zero", _rs1(word), 0)
    return OTHER if _function(word) <= 2 else UNKNOWN


def _float_result(target: str, sources: tuple[str, ...], *, flags: bool) -> Dataflow:
    """``flags``: the instruction may raise floating-point exceptions, which add up in fcsr."""
    results = [Result(target, sources)] if target != "zero" else []
    if flags:
        results.append(Result("fcsr", ("fcsr", *sources)))
    if flags or target in FLOAT:
        results.append(FLOAT_DIRTY)
    return Dataflow(Operation.FLOAT, tuple(results))


def _fused(word: int) -> Dataflow:
    names = tuple(FLOAT[number] for number in (_rs1(word), _rs2(word), word >> 27))
    return _float_result(FLOAT[_rd(word)], names, flags=True)


def _float(word: int) -> Dataflow:
    """By the upper five bits: arithmetic, then what takes one operand, then what crosses register files."""
    what, first, second = word >> 27, FLOAT[_rs1(word)], FLOAT[_rs2(word)]
    source = (INTEGER[_rs1(word)],) if _rs1(word) else ()
    match what:
        case 0x00 | 0x01 | 0x02 | 0x03 | 0x05:
            return _float_result(FLOAT[_rd(word)], (first, second), flags=True)
        case 0x04:
            both = (first,) if first == second else (first, second)
            return _float_result(FLOAT[_rd(word)], both, flags=False)
        case 0x08 | 0x0B:
            return _float_result(FLOAT[_rd(word)], (first,), flags=True)
        case 0x14:
            return _float_result(INTEGER[_rd(word)], (first, second), flags=True)
        case 0x18:
            return _float_result(INTEGER[_rd(word)], (first,), flags=True)
        case 0x1C:
            return _float_result(INTEGER[_rd(word)], (first,), flags=False)
        case 0x1A:
            return _float_result(FLOAT[_rd(word)], source, flags=True)
        case 0x1E:
            # With an odd second operand a constant from a table (Zfa).
            return _float_result(FLOAT[_rd(word)], () if _rs2(word) else source, flags=False)
    return UNKNOWN


_BY_OPCODE = {
    0x37: _upper, 0x17: _upper, 0x6F: _jal, 0x67: _jalr, 0x63: _branch, 0x03: _load, 0x23: _store,
    0x07: _float_load, 0x27: _float_store, 0x13: _immediate, 0x1B: _immediate, 0x33: _register,
    0x3B: _register, 0x2F: _atomic, 0x73: _system, 0x0F: _fence, 0x43: _fused, 0x47: _fused, 0x4B: _fused,
    0x4F: _fused, 0x53: _float,
}  # fmt: skip
