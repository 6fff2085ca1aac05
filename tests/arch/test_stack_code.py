"""What instructions do with the stack pointer: known encodings, and any word against its data flow."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedbg.arch.dataflow import MEMORY, Operation
from tracedbg.arch.riscv64.dataflow import dataflow
from tracedbg.arch.riscv64.registers import INTEGER
from tracedbg.arch.riscv64.stack_code import stack_code
from tracedbg.arch.stack_code import PointerWrite

SP, S0 = INTEGER.index("sp"), INTEGER.index("s0")
KNOWN = {
    0xFE010113: ("addi sp, sp, -32", PointerWrite.FRAME),
    0x7139: ("addi sp, sp, -64", PointerWrite.FRAME),
    0x6145: ("addi sp, sp, 48", PointerWrite.FRAME),
    0xFF017113: ("andi sp, sp, -16", PointerWrite.FRAME),
    0x9116: ("add sp, sp, t0", PointerWrite.FRAME),
    0x40A10133: ("sub sp, sp, a0", PointerWrite.FRAME),
    0xFD040113: ("addi sp, s0, -48", PointerWrite.FRAME_POINTER),
    0x8122: ("mv sp, s0", PointerWrite.FRAME_POINTER),
    0x812A: ("mv sp, a0", PointerWrite.SET),
    0x14011173: ("csrrw sp, sscratch, sp", PointerWrite.SET),
    0x0085B103: ("ld sp, 8(a1)", PointerWrite.SET),
    0x6122: ("ld sp, 8(sp)", PointerWrite.SET),
    0x00003117: ("auipc sp, 3", PointerWrite.SET),
    0x02B50133: ("mul sp, a0, a1", PointerWrite.SET),
    0x00C15113: ("srli sp, sp, 12", PointerWrite.SET),
    0x850A: ("mv a0, sp", PointerWrite.NONE),
    0x1008: ("addi a0, sp, 32", PointerWrite.NONE),
    0xE406: ("sd ra, 8(sp)", PointerWrite.NONE),
    0x0001: ("nop", PointerWrite.NONE),
}
CAUSES = {
    0x142025F3: True,  # csrr a1, scause
    0x14102573: True,  # csrr a0, sepc
    0x34302573: True,  # csrr a0, mtval
    0x14251073: False,  # csrw scause, a0
    0x14051573: False,  # csrrw a0, sscratch, a0
    0x10200073: False,  # sret
}


@pytest.mark.parametrize(("word", "expected"), KNOWN.items(), ids=[text for text, _ in KNOWN.values()])
def test_known_encodings(word: int, expected: tuple[str, PointerWrite]) -> None:
    assert stack_code(np.array([word], np.uint32)).pointer[0] == expected[1]


@pytest.mark.parametrize(("word", "reads"), CAUSES.items())
def test_reads_of_the_cause(word: int, reads: bool) -> None:
    assert stack_code(np.array([word], np.uint32)).cause_read[0] == reads


INTEGER_OPCODES = st.sampled_from((0x03, 0x13, 0x17, 0x1B, 0x23, 0x33, 0x37, 0x3B))
REGISTERS = st.sampled_from((0, 1, 2, 2, 2, 5, 8, 8, 10))


@st.composite
def whole_words(draw: st.DrawFn) -> int:
    """Words of 32 bits whose registers are often sp."""
    kind, high = draw(st.integers(0, 7)), draw(st.integers(0, 127))
    rd, rs1, rs2 = draw(REGISTERS), draw(REGISTERS), draw(REGISTERS)
    return high << 25 | rs2 << 20 | rs1 << 15 | kind << 12 | rd << 7 | draw(INTEGER_OPCODES)


@settings(max_examples=2000, deadline=None)
@given(whole_words())
def test_every_integer_instruction_agrees_with_its_data_flow(word: int) -> None:
    assert_agrees(word)


@pytest.mark.slow
def test_every_compressed_instruction_agrees_with_its_data_flow() -> None:
    for word in range(1 << 16):
        if word & 3 != 3:
            assert_agrees(word)


def assert_agrees(word: int) -> None:
    data = word.to_bytes(4 if word & 3 == 3 else 2, "little")
    flow = dataflow(data)
    if flow.operation is Operation.UNKNOWN:
        return
    code = stack_code(np.array([word], np.uint32))
    made = flow.find("sp")
    assert (code.pointer[0] != PointerWrite.NONE) == (made is not None)
    if code.pointer[0] == PointerWrite.FRAME:
        assert made is not None
        assert "sp" in made.sources
    if code.pointer[0] == PointerWrite.FRAME_POINTER:
        assert made is not None
        assert made.sources == ("s0",)
    if code.pointer_from[0]:
        assert made is not None
        assert made.sources == (INTEGER[code.pointer_from[0]],)
        assert flow.operation is Operation.MOVE
    if code.derived[0]:
        derived = flow.find(INTEGER[code.derived[0]])
        assert derived is not None
        assert "sp" in derived.sources
    _check_slots(code.spilled[0], code.restored[0], data)


def _check_slots(spilled: int, restored: int, data: bytes) -> None:
    flow = dataflow(data)
    at_sp = flow.address is not None and flow.address.base == "sp"
    if spilled:
        assert at_sp
        assert flow.find(MEMORY) == (MEMORY, (INTEGER[spilled],))
    if restored:
        assert at_sp
        assert flow.find(INTEGER[restored]) == (INTEGER[restored], (MEMORY,))
