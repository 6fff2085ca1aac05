"""Vector registers and vector CSRs are right at every t, and a trace that lacks a row of them fails."""

from pathlib import Path

import numpy as np
import pytest

import tracedbg
from tests.recorder.generator import Program, build, generate
from tests.recorder.recording import record, verify
from tests.verify.alteration import Altered

pytestmark = pytest.mark.slow

BITS = (128, 256, 512, 1024)
SEEDS = range(12)
"""Seed s runs on 1 + s % 3 harts with vectors of BITS[s % 4] bits."""
LOOPS = 20_000
STATE = ("state.t", "state.hart", "state.register", "state.value")
ON = """
  .global _start
_start:
  la t0, handler
  csrw mtvec, t0
  li t0, 0x600
  csrs mstatus, t0
"""
OFF = """
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
end: j end
  .balign 4
handler:
  csrr s1, vstart
handled:
  csrw vstart, x0
  csrr t0, mepc
  addi t0, t0, 4
  csrw mepc, t0
  mret
  .balign 64
source: .dword 1, 2, 3, 4, 5, 6, 7, 8
target: .space 64
"""
LONG = f"""
  li s0, {LOOPS}
  la a0, source
  la a1, target
  li a2, 8
again:
  vsetvli t1, a2, e64, m4, ta, ma
  vle64.v v0, (a0)
  vadd.vi v0, v0, 3
  vse64.v v0, (a1)
  addi s0, s0, -1
  bnez s0, again
"""
KNOWN = """
  csrw vxrm, 2
  vsetivli x0, 4, e32, m1, ta, ma
  vid.v v8
one:
  vadd.vi v8, v8, 5
two:
  vsetivli x0, 4, e64, m2, ta, ma
  vmv.v.i v10, -1
three:
  # RAM ends in the middle of what is loaded: two elements come, and vstart tells of the third.
  li a0, 0x81fffff0
  sd s0, 0(a0)
  sd a0, 8(a0)
  vle64.v v10, (a0)
four:
  nop
"""


def guest(name: str, body: str, *, bits: int = 128) -> Program:
    return Program(name, ON + body + OFF, "rv64gcv", 1, f"rv64,v=true,vlen={bits}")


def test_long_vector_code_is_recorded_true(tmp_path: Path) -> None:
    program = guest("long", LONG)
    proof = verify(record(program, build(program, tmp_path), check_registers=False))
    assert proof.passed, proof.faults
    assert proof.report["stores"] >= 8 * LOOPS


@pytest.mark.parametrize("seed", SEEDS)
def test_every_vector_register_of_a_random_guest_is_true(seed: int, tmp_path: Path) -> None:
    program = generate(seed, harts=1 + seed % 3, vector_bits=BITS[seed % 4])
    proof = verify(record(program, build(program, tmp_path)))
    assert proof.passed, f"seed {seed}: {proof.faults}"
    assert proof.report["keyframes"] == proof.report["instructions"]
    assert proof.report["registers"] > proof.report["instructions"] * 32 * BITS[seed % 4] // 64 // 2


@pytest.mark.parametrize("bits", [128, 256])
def test_vector_registers_are_known_at_each_moment(bits: int, tmp_path: Path) -> None:
    program = guest("known", KNOWN, bits=bits)
    elf = build(program, tmp_path)
    with tracedbg.open(record(program, elf, check_registers=False), symbols=[str(elf)]) as trace:
        one, two, three, four = (trace.at(name).registers for name in ("one", "two", "three", "four"))
        elements = [0, 1, 2, 3]
        assert one["v8"] == sum(value << 32 * place for place, value in enumerate(elements))
        assert two["v8"] == sum((value + 5) << 32 * place for place, value in enumerate(elements))
        assert (one["vl"], one["vxrm"], one["vxsat"], one["vlenb"]) == (4, 2, 0, bits // 8)
        assert three["vl"] == min(4, 2 * bits // 64)
        assert three["v10"] == (1 << bits) - 1
        handler = trace.at("handled").registers
        assert handler["s1"] == handler["vstart"] == 2
        loaded = 0x81FFFFF0 << 64
        assert handler["v10"] == loaded | (((1 << bits) - 1) >> 128 << 128)
        assert four["vstart"] == 0
        rows = trace.register_writes("v8")
        assert rows["value"].shape == (2, bits // 64)
        assert [int(row["value"][0]) for row in rows] == [1 << 32, 6 << 32 | 5]
        assert rows["t"].tolist() == [trace.position("one"), trace.position("two")]


def test_a_guest_without_vectors_has_none(tmp_path: Path) -> None:
    program = Program("plain", ON.replace("csrs mstatus", "csrr t1, mstatus #") + OFF.replace(
        "csrw vstart, x0", "nop").replace("csrr s1, vstart", "nop"), "rv64gc", 1, "rv64")  # fmt: skip
    with tracedbg.open(record(program, build(program, tmp_path), check_registers=False)) as trace:
        assert "v0" not in trace.at("end").registers
        assert "vl" not in list(trace.at("end").registers)


@pytest.mark.parametrize("name", ["v8.0", "v8.1", "vl", "vtype", "v10.1"])
def test_a_trace_without_a_row_of_a_vector_register_fails(name: str, tmp_path: Path) -> None:
    program = guest("known", KNOWN)
    trace = record(program, build(program, tmp_path))
    altered = Altered.of(trace)
    number = list(altered.metadata["guest"]["registers"]).index(name)
    epoch = altered.part("epoch")
    rows = np.flatnonzero(epoch.columns["state.register"] == number)
    assert len(rows)
    epoch.drop(int(rows[-1]), *STATE)
    proof = verify(altered.write(tmp_path / "altered.bin"))
    assert not proof.passed
    assert proof.report["mismatches"]["registers"] > 0
    assert f"{name} of hart 0" in proof.faults
