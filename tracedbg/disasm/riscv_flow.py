"""Lengths, jumps and branches of RV64GC, from their encodings (RISC-V ISA manual vol. I, 1.5, 2.5 and 16)."""

from tracedbg.disasm.instruction import Flow
from tracedbg.ids import VirtualAddress

_ADDRESS_MASK = (1 << 64) - 1
_LINK_REGISTERS = (1, 5)
_AUIPC, _JALR, _JAL, _BRANCH, _SYSTEM = 0x17, 0x67, 0x6F, 0x63, 0x73
_NOTHING: tuple[Flow, None] = (Flow(0), None)
_SYSTEM_FLOW = {
    0x00000073: Flow.TRAP, 0x00100073: Flow.TRAP, 0x00200073: Flow.TRAP_RETURN,
    0x10200073: Flow.TRAP_RETURN, 0x30200073: Flow.TRAP_RETURN, 0x70200073: Flow.TRAP_RETURN,
}  # fmt: skip
Answer = tuple[Flow, VirtualAddress | None]


def instruction_length(data: bytes) -> int:
    """2 or 4 by the lowest bits; the encodings for longer ones are not in use."""
    return 4 if data[0] & 3 == 3 else 2


def flow_of(word: int, address: int) -> Answer:
    """What an instruction does to the flow of control, and its target when that is in its encoding."""
    if word & 3 != 3:
        return _compressed_flow(word, address)
    opcode = word & 0x7F
    if opcode == _JAL:
        return _jump((word >> 7) & 31, None), _target(address, _jal_offset(word))
    if opcode == _JALR and (word >> 12) & 7 == 0:
        return _jump((word >> 7) & 31, (word >> 15) & 31), None
    if opcode == _BRANCH and (word >> 12) & 7 not in (2, 3):
        return Flow.BRANCH, _target(address, _branch_offset(word))
    return (_SYSTEM_FLOW.get(word, Flow(0)), None) if opcode == _SYSTEM else _NOTHING


def _jump(rd: int, rs1: int | None) -> Flow:
    """The return-address stack hints of JAL and JALR (vol. I, 2.5.1, table 3)."""
    links, returns = rd in _LINK_REGISTERS, rs1 in _LINK_REGISTERS
    if links:
        return Flow.CALL | Flow.RETURN if returns and rd != rs1 else Flow.CALL
    return Flow.RETURN if returns else Flow.JUMP


def _compressed_flow(word: int, address: int) -> Answer:
    quadrant, kind = word & 3, word >> 13
    if quadrant == 1 and kind == 5:
        return Flow.JUMP, _target(address, _compressed_jump_offset(word))
    if quadrant == 1 and kind in (6, 7):
        return Flow.BRANCH, _target(address, _compressed_branch_offset(word))
    if quadrant == 2 and kind == 4 and (word >> 2) & 31 == 0:
        rs1 = (word >> 7) & 31
        if rs1:
            return _jump(1 if word & 0x1000 else 0, rs1), None
        return (Flow.TRAP, None) if word & 0x1000 else _NOTHING
    return _NOTHING


def _target(address: int, offset: int) -> VirtualAddress:
    return VirtualAddress((address + offset) & _ADDRESS_MASK)


def _signed(value: int, bits: int) -> int:
    return value - (1 << bits) if value >> (bits - 1) else value


def _gather(word: int, *fields: tuple[int, int, int]) -> int:
    """Bits [low, low + count) of ``word`` put at ``to``, for each (low, count, to)."""
    return sum(((word >> low) & ((1 << count) - 1)) << to for low, count, to in fields)


def _jal_offset(word: int) -> int:
    return _signed(_gather(word, (21, 10, 1), (20, 1, 11), (12, 8, 12), (31, 1, 20)), 21)


def _branch_offset(word: int) -> int:
    return _signed(_gather(word, (8, 4, 1), (25, 6, 5), (7, 1, 11), (31, 1, 12)), 13)


def _compressed_jump_offset(word: int) -> int:
    fields = ((3, 3, 1), (11, 1, 4), (2, 1, 5), (7, 1, 6), (6, 1, 7), (9, 2, 8), (8, 1, 10), (12, 1, 11))
    return _signed(_gather(word, *fields), 12)


def _compressed_branch_offset(word: int) -> int:
    return _signed(_gather(word, (3, 2, 1), (10, 2, 3), (2, 1, 5), (5, 2, 6), (12, 1, 8)), 9)


def pair_target(first: int, second: int, address: int) -> VirtualAddress | None:
    """Where AUIPC (at ``address``) and the JALR after it lead, None when they are no such pair."""
    if first & 0x7F != _AUIPC or second & 0x707F != _JALR or (first >> 7) & 31 != (second >> 15) & 31:
        return None
    offset = _signed(first & 0xFFFFF000, 32) + _signed(second >> 20, 12)
    return VirtualAddress((address + offset) & _ADDRESS_MASK & ~1)
