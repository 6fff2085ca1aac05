"""Where each instruction leads when nothing interrupts it, read from its own bits.

RISC-V unprivileged ISA, chapters RV32I (2.5) and "C" (16.3); privileged ISA 3.3.2 (MRET, SRET).
"""

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from tracedbg.verify.messages import Bytes, Flags, Words

_Bits = NDArray[np.int64]
_MRET, _SRET = 0x30200073, 0x10200073
_BRANCH, _JALR, _JAL = 0x63, 0x67, 0x6F


class Lead(IntEnum):
    """How the address of a hart's next instruction follows from this one."""

    PLACES = 0
    """It is behind this instruction or at its target: the same place but for conditional branches."""
    ANYWHERE = 1
    """A register holds it, or this encoding is not known well enough."""
    MEPC = 2
    SEPC = 3


def leads(code: Bytes, lengths: Bytes, addresses: Words) -> tuple[Bytes, Words, Words]:
    """Return a Lead and the two places each instruction leads to; ``code`` has all their bytes in a row."""
    end = np.cumsum(lengths, dtype=np.int64)
    start = end - lengths
    padded = np.append(code, np.zeros(4, np.uint8)).astype(np.int64)
    low = padded[start] | padded[start + 1] << 8
    bits = low | padded[start + 2] << 16 | padded[start + 3] << 24
    behind = addresses + lengths.astype(np.uint64)
    lead = np.full(len(lengths), Lead.ANYWHERE, np.uint8)
    offset = lengths.astype(np.int64)
    for own, rows, decode in ((lengths == 4, bits, _of_four), (lengths == 2, low, _of_two)):
        lead[own], jump, jumps = decode(rows[own])
        offset[own] = np.where(jumps, jump, offset[own])
    conditional = _is_conditional(bits, lengths)
    target = addresses + offset.astype(np.uint64)
    return lead, np.where(conditional, behind, target), target


def _is_conditional(bits: _Bits, lengths: Bytes) -> Flags:
    compressed = (bits & 3 == 1) & (bits >> 14 & 3 == 3)
    conditional: Flags = np.where(lengths == 4, bits & 0x7F == _BRANCH, compressed)
    return conditional


def _of_four(bits: _Bits) -> tuple[Bytes, _Bits, Flags]:
    """Return the Lead, the offset of the target, and whether there is one."""
    opcode = bits & 0x7F
    lead = np.full(len(bits), Lead.PLACES, np.uint8)
    lead[opcode == _JALR] = Lead.ANYWHERE
    lead[bits == _MRET] = Lead.MEPC
    lead[bits == _SRET] = Lead.SEPC
    jump = _field(bits, (31, 31, 20), (12, 19, 12), (20, 20, 11), (21, 30, 1), sign=20)
    branch = _field(bits, (31, 31, 12), (7, 7, 11), (25, 30, 5), (8, 11, 1), sign=12)
    return lead, np.where(opcode == _JAL, jump, branch), (opcode == _JAL) | (opcode == _BRANCH)


def _of_two(bits: _Bits) -> tuple[Bytes, _Bits, Flags]:
    """Return the Lead, the offset of the target, and whether there is one."""
    quadrant, function = bits & 3, bits >> 13
    lead = np.full(len(bits), Lead.PLACES, np.uint8)
    # C.JR and C.JALR; C.EBREAK has no register. Jumps of Zcmt and Zcmp look like C.FSDSP.
    lead[(quadrant == 2) & (function == 4) & (bits >> 2 & 31 == 0) & (bits >> 7 & 31 != 0)] = Lead.ANYWHERE
    lead[(quadrant == 2) & (function == 5)] = Lead.ANYWHERE
    jump = _field(
        bits,
        (12, 12, 11),
        (11, 11, 4),
        (9, 10, 8),
        (8, 8, 10),
        (7, 7, 6),
        (6, 6, 7),
        (3, 5, 1),
        (2, 2, 5),
        sign=11,
    )
    branch = _field(bits, (12, 12, 8), (10, 11, 3), (5, 6, 6), (3, 4, 1), (2, 2, 5), sign=8)
    jumps = (quadrant == 1) & (function >= 5)
    return lead, np.where(function == 5, jump, branch), jumps


def _field(bits: _Bits, *parts: tuple[int, int, int], sign: int) -> _Bits:
    """Return a signed immediate put together from (lowest bit, highest bit, place of the lowest)."""
    value = np.zeros(len(bits), np.int64)
    for low, high, place in parts:
        value |= (bits >> low & ((1 << (high - low + 1)) - 1)) << place
    return value - (value >> sign << sign + 1)
