"""Stack pointer arithmetic, spills and restores of RV64GC (unprivileged ISA 2.4, 2.6 and 16)."""

import numpy as np
from numpy.typing import NDArray

from tracedbg.arch.stack_code import PointerWrite, Registers, StackCode, Words

_SP, _FP = 2, 8
_CSRS_OF_CAUSE = (0x141, 0x142, 0x143, 0x341, 0x342, 0x343)
"""sepc, scause, stval, mepc, mcause, mtval."""

_Mask = NDArray[np.bool_]


def stack_code(words: Words) -> StackCode:
    """Decode instructions, each in the low bits of a word; compressed ones have nothing above bit 15."""
    whole, short = _decode_whole(words), _decode_compressed(words)
    compressed = (words & 3) != 3
    fields = {name: np.where(compressed, short[name], whole[name]) for name in whole}
    cause = ~compressed & _reads_cause(words)
    return StackCode(cause_read=cause, **fields)


def _bits(words: Words, low: int, count: int) -> Words:
    found: Words = (words >> np.uint32(low)) & np.uint32((1 << count) - 1)
    return found


def _chosen(mask: _Mask, values: Words) -> Registers:
    return np.where(mask, values, 0).astype(np.uint8)


def _decode_whole(words: Words) -> dict[str, Registers]:
    opcode, rd, kind = _bits(words, 0, 7), _bits(words, 7, 5), _bits(words, 12, 3)
    rs1, rs2 = _bits(words, 15, 5), _bits(words, 20, 5)
    immediate = np.isin(opcode, (0x13, 0x1B))
    arithmetic = immediate | np.isin(opcode, (0x33, 0x3B))
    adds_or_aligns = arithmetic & ((kind == 0) | (kind == 7)) & ((_bits(words, 25, 7) != 1) | immediate)
    uses_sp = adds_or_aligns & ((rs1 == _SP) | (~immediate & (rs2 == _SP)))
    writes = np.isin(opcode, (0x03, 0x13, 0x17, 0x1B, 0x2F, 0x33, 0x37, 0x3B, 0x73)) & (rd == _SP)
    move = (opcode == 0x13) & (kind == 0) & (words >> np.uint32(20) == 0)
    whole = kind == 3
    return {
        "pointer": _pointer(writes, uses_sp, (opcode == 0x13) & (kind == 0) & (rs1 == _FP)),
        "pointer_from": _chosen(writes & move, rs1),
        "derived": _chosen(uses_sp, rd),
        "spilled": _chosen((opcode == 0x23) & whole & (rs1 == _SP), rs2),
        "restored": _chosen((opcode == 0x03) & whole & (rs1 == _SP), rd),
    }


def _decode_compressed(words: Words) -> dict[str, Registers]:
    quadrant, kind = _bits(words, 0, 2), _bits(words, 13, 3)
    rd, rs2, high = _bits(words, 7, 5), _bits(words, 2, 5), _bits(words, 12, 1)
    # Of C.ADDI16SP and C.LUI zero is reserved.
    large = (quadrant == 1) & (kind == 3) & ((rs2 | high) != 0)
    add_immediate = ((quadrant == 1) & (kind <= 1)) | (large & (rd == _SP))
    add_to_four = (quadrant == 0) & (kind == 0)
    move = (quadrant == 2) & (kind == 4) & (high == 0) & (rs2 != 0)
    add = (quadrant == 2) & (kind == 4) & (high == 1) & (rs2 != 0)
    load_word, load = (quadrant == 2) & (kind == 2), (quadrant == 2) & (kind == 3)
    shift = (quadrant == 2) & (kind == 0)
    constant = (quadrant == 1) & ((kind == 2) | ((kind == 3) & (rd != _SP)))
    uses_sp = (add_immediate & (rd == _SP)) | (move & (rs2 == _SP))
    uses_sp |= (add & ((rd == _SP) | (rs2 == _SP))) | add_to_four
    target = np.where(add_to_four, 8 + rs2 % 8, rd)
    writes = (add_immediate | move | add | load_word | load | constant | shift) & (rd == _SP)
    return {
        "pointer": _pointer(writes, uses_sp, move & (rs2 == _FP)),
        "pointer_from": _chosen(move & (rd == _SP), rs2),
        "derived": _chosen(uses_sp, target),
        "spilled": _chosen((quadrant == 2) & (kind == 7), rs2),
        "restored": _chosen(load, rd),
    }


def _pointer(writes: _Mask, uses_sp: _Mask, uses_fp: _Mask) -> Registers:
    kind = np.where(uses_fp, PointerWrite.FRAME_POINTER, PointerWrite.SET)
    return _chosen(writes, np.where(uses_sp, PointerWrite.FRAME, kind).astype(np.uint32))


def _reads_cause(words: Words) -> _Mask:
    system = (_bits(words, 0, 7) == 0x73) & (_bits(words, 12, 3) % 4 != 0) & (_bits(words, 7, 5) != 0)
    found: _Mask = system & np.isin(words >> np.uint32(20), _CSRS_OF_CAUSE)
    return found
