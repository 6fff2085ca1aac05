"""Kinds, targets and the edges of what can be decoded."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedbg.disasm import Disassembler, Flow, Instruction
from tracedbg.errors import UsageError
from tracedbg.ids import VirtualAddress

BASE = VirtualAddress(0x80200000)
RISCV = Disassembler("riscv64")


def decode(word: int, size: int = 4) -> Instruction:
    return RISCV.decode(word.to_bytes(size, "little"), BASE)


@pytest.mark.parametrize(
    ("word", "size", "text", "flow", "target"),
    [
        (0x008000EF, 4, "jal 0x80200008", Flow.CALL, 0x80200008),
        (0xFF9FF0EF, 4, "jal 0x801ffff8", Flow.CALL, 0x801FFFF8),
        (0x008002EF, 4, "jal t0, 0x80200008", Flow.CALL, 0x80200008),
        (0x0080006F, 4, "j 0x80200008", Flow.JUMP, 0x80200008),
        (0x0080056F, 4, "jal a0, 0x80200008", Flow.JUMP, 0x80200008),
        (0x000500E7, 4, "jalr a0", Flow.CALL, None),
        (0x000502E7, 4, "jalr t0, a0", Flow.CALL, None),
        (0x000080E7, 4, "jalr ra", Flow.CALL, None),
        (0x000280E7, 4, "jalr t0", Flow.CALL | Flow.RETURN, None),
        (0x00008067, 4, "ret", Flow.RETURN, None),
        (0x00028067, 4, "jr t0", Flow.RETURN, None),
        (0x00030067, 4, "jr t1", Flow.JUMP, None),
        (0x8082, 2, "ret", Flow.RETURN, None),
        (0x8502, 2, "jr a0", Flow.JUMP, None),
        (0x9502, 2, "jalr a0", Flow.CALL, None),
        (0x9082, 2, "jalr ra", Flow.CALL, None),
        (0xA021, 2, "j 0x80200008", Flow.JUMP, 0x80200008),
        (0xC501, 2, "beqz a0, 0x80200008", Flow.BRANCH, 0x80200008),
        (0xFD75, 2, "bnez a0, 0x801ffffc", Flow.BRANCH, 0x801FFFFC),
        (0x00B56463, 4, "bltu a0, a1, 0x80200008", Flow.BRANCH, 0x80200008),
        (0x00000073, 4, "ecall", Flow.TRAP, None),
        (0x9002, 2, "ebreak", Flow.TRAP, None),
        (0x10200073, 4, "sret", Flow.TRAP_RETURN, None),
        (0x30200073, 4, "mret", Flow.TRAP_RETURN, None),
        (0xFF010113, 4, "addi sp, sp, -16", Flow(0), None),
        (0x1141, 2, "addi sp, sp, -16", Flow(0), None),
        (0xE406, 2, "sd ra, 8(sp)", Flow(0), None),
        (0x0EC5F533, 4, "czero.nez a0, a1, a2", Flow(0), None),
        (0x30A02573, 4, "csrr a0, menvcfg", Flow(0), None),
        (0x14D51073, 4, "csrw stimecmp, a0", Flow(0), None),
        (0x0000100F, 4, "fence.i", Flow(0), None),
    ],
)
def test_instruction_is_read_as(word: int, size: int, text: str, flow: Flow, target: int | None) -> None:
    found = decode(word, size)
    assert (found.text, found.flow, found.target, found.length) == (text, flow, target, size)


def test_flags_are_those_of_the_flow() -> None:
    swap = decode(0x000280E7)
    assert (swap.is_call, swap.is_return, swap.is_jump, swap.is_branch) == (True, True, False, False)
    branch = decode(0xC501, 2)
    assert (branch.is_call, branch.is_return, branch.is_jump, branch.is_branch) == (False, False, False, True)


@pytest.mark.parametrize(
    ("word", "size", "text"),
    [
        (0xFFFFFFFF, 4, ".insn 0xffffffff"),
        (0x0000007F, 4, ".insn 0x0000007f"),
        (0x02000007, 4, ".insn 0x02000007"),
        (0x6081, 2, ".insn 0x6081"),
        (0x0004, 2, ".insn 0x0004"),
    ],
)
def test_unknown_encoding_is_shown_with_its_number_and_length(word: int, size: int, text: str) -> None:
    found = decode(word, size)
    assert (found.text, found.length, found.flow) == (text, size, Flow(0))


def test_instruction_cut_short_is_shown_as_bytes() -> None:
    found = RISCV.decode(b"\x6f\x00\x80", BASE)
    assert (found.text, found.length, found.target) == (".byte 0x6f, 0x00, 0x80", 3, None)


def test_no_bytes_are_refused() -> None:
    with pytest.raises(ValueError, match="no bytes to decode"):
        RISCV.decode(b"", BASE)


def test_unknown_architecture_is_refused_by_name() -> None:
    with pytest.raises(UsageError) as error:
        Disassembler("vax")
    assert str(error.value) == "no disassembler for architecture 'vax': only riscv64 is known"


def test_far_call_gets_the_target_of_both_its_instructions() -> None:
    code = bytes.fromhex("97f0ffffe78000ff")
    first, second = RISCV.decode_all(code, BASE)
    assert (first.text, first.target) == ("auipc ra, 0xfffff", None)
    assert (second.text, second.is_call, second.target) == ("jalr -16(ra)", True, BASE - 0x1000 - 16)


def test_jump_after_an_unrelated_auipc_has_no_target() -> None:
    code = bytes.fromhex("97f0ffff67000300")
    assert [found.target for found in RISCV.decode_all(code, BASE)] == [None, None]


@settings(deadline=None)
@given(st.binary(min_size=1, max_size=64), st.integers(0, 2**64 - 1))
def test_any_bytes_are_covered_without_gap_or_overlap(data: bytes, address: int) -> None:
    found = list(RISCV.decode_all(data, VirtualAddress(address)))
    assert b"".join(one.data for one in found) == data
    assert all(one.length in (1, 2, 3, 4) and one.mnemonic for one in found)


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 2**64 - 1))
def test_decoding_depends_on_bytes_and_address_alone(word: int, address: int) -> None:
    data = (word | 3).to_bytes(4, "little")
    first = RISCV.decode(data, VirtualAddress(address))
    again = Disassembler("riscv64").decode(data + b"\xff\xff", VirtualAddress(address))
    assert first == again
