"""What an instruction does by its encoding, held against capstone's text for it."""

import re

import capstone
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedbg.arch.effect import Changes
from tracedbg.arch.riscv64.effect import effect
from tracedbg.arch.riscv64.registers import INTEGER

PLACE = 0x8000_0000
_MEMORY = re.compile(r"(-?(?:0x)?[0-9a-f]+)\((\w+)\)")
_SIZES = {"b": 1, "h": 2, "w": 4, "d": 8}
_LOAD = re.compile(r"(?:c\.)?(f?)l([bhwd])(u?)(?:sp)?")
_STORE = re.compile(r"(?:c\.)?(f?)s([bhwd])(?:sp)?")
_NO_DESTINATION = re.compile(
    r"(?:c\.)?(?:f?s[bhwd](?:sp)?|b\w+|j|jr|nop|ret|e(?:call|break)|[msd]ret|uret|wfi|fence.*|sfence.*|unimp|fl.*)"
)


def disassembled(data: bytes) -> capstone.CsInsn | None:
    engine = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV64 | capstone.CS_MODE_RISCVC)
    return next(engine.disasm(data, PLACE), None)


def assert_as_the_text(data: bytes) -> None:
    """Length, memory operand, jump target and integer destination are those of the text."""
    found = disassembled(data)
    if found is None:
        return
    known = effect(data)
    assert known.length == found.size, found
    if known.changes & Changes.ANY:
        return
    load, store = _LOAD.fullmatch(found.mnemonic), _STORE.fullmatch(found.mnemonic)
    operand = _MEMORY.search(found.op_str)
    if (load or store) and operand:
        use = known.memory
        assert use is not None, found
        match = load or store
        assert match is not None
        assert (use.loads, use.stores, use.size) == (bool(load), bool(store), _SIZES[match[2]]), found
        assert (use.offset, INTEGER[use.base]) == (int(operand[1], 0), operand[2]), found
        assert use.integer == (not match[1]), found
        if store and use.integer:
            assert use.source is not None
            assert INTEGER[use.source] == found.op_str.split(",")[0], found
    if known.target is not None:
        assert known.target == int(found.op_str.split(",")[-1], 0), found
    first = found.op_str.split(",")[0].strip()
    if first in INTEGER and not _NO_DESTINATION.fullmatch(found.mnemonic) and not known.memory:
        expected = "ra" if found.mnemonic in ("c.jalr", "jalr") and "," not in found.op_str else first
        if found.mnemonic in ("jal", "jalr") or not known.jumps:
            assert INTEGER[known.destination] == expected, found


@pytest.mark.slow
def test_compressed_instructions() -> None:
    for half in range(1 << 16):
        if half & 3 != 3:
            assert_as_the_text(half.to_bytes(2, "little") + bytes(2))


@settings(max_examples=3000, deadline=None)
@given(
    st.sampled_from([0x03, 0x07, 0x13, 0x17, 0x1B, 0x23, 0x27, 0x33, 0x37, 0x3B, 0x63, 0x67, 0x6F]),
    st.integers(0, (1 << 25) - 1),
)
def test_whole_instructions(opcode: int, rest: int) -> None:
    assert_as_the_text((rest << 7 | opcode).to_bytes(4, "little"))


@pytest.mark.parametrize(
    ("code", "loads", "stores", "size"),
    [
        ("2fb5a500", True, True, 8),  # amoadd.d a0, a0, (a1)
        ("2fa50510", True, False, 4),  # lr.w a0, (a1)
        ("2fb5a518", False, True, 8),  # sc.d a0, a0, (a1)
    ],
)
def test_atomics(code: str, loads: bool, stores: bool, size: int) -> None:
    use = effect(bytes.fromhex(code)).memory
    assert use is not None
    assert (use.loads, use.stores, use.size, use.offset, use.source) == (loads, stores, size, 0, None)


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("73000000", Changes.CONTROL | Changes.FLOAT),  # ecall
        ("73001000", Changes.CONTROL | Changes.FLOAT | Changes.MEMORY),  # ebreak
        ("73251018", Changes.CONTROL | Changes.FLOAT),  # csrr a0, satp: 0x181 is another, all are alike
        ("73002010", Changes.CONTROL),  # sret
        ("0f200500", Changes.ANY | Changes.MEMORY),  # cbo.inval (a0)
        ("27000502", Changes.ANY | Changes.MEMORY),  # vse8.v v0, (a0)
        ("07000502", Changes.ANY),  # vle8.v v0, (a0)
        ("57700000", Changes.ANY),  # a vector instruction
        ("53f5a502", Changes.FLOAT),  # fadd.d fa0, fa1, fa0
    ],
)
def test_what_else_may_change(code: str, changes: Changes) -> None:
    assert effect(bytes.fromhex(code)).changes == changes
