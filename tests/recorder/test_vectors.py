"""Vector registers are not recorded; what vector code does to everything else is."""

from pathlib import Path

import pytest

from tests.recorder.generator import Program, build
from tests.recorder.recording import record, verify

LOOPS = 20_000
SOURCE = f"""
  .global _start
_start:
  li t0, 0x600
  csrs mstatus, t0
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
  ld a3, 56(a1)
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
end: j end
  .balign 64
source: .dword 1, 2, 3, 4, 5, 6, 7, 8
target: .space 64
"""


@pytest.mark.slow
def test_long_vector_code_is_recorded_true(tmp_path: Path) -> None:
    program = Program("vectors", SOURCE, "rv64gcv", 1, "rv64,v=true")
    proof = verify(record(program, build(program, tmp_path), check_registers=False))
    assert proof.passed, proof.faults
    assert proof.report["stores"] >= 8 * LOOPS
