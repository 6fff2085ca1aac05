"""Random guests are recorded true: memory, every register at every instruction, and RAM at the end."""

from pathlib import Path

import pytest

from tests.recorder.generator import build, generate
from tests.recorder.recording import record, verify

SEEDS = range(24)
"""Seed s runs on 1 + s % 3 harts."""

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("seed", SEEDS)
def test_every_register_and_every_load_of_a_random_guest_is_true(seed: int, tmp_path: Path) -> None:
    program = generate(seed, harts=1 + seed % 3)
    proof = verify(record(program, build(program, tmp_path)))
    assert proof.passed, f"seed {seed}: {proof.faults}"
    assert proof.report["keyframes"] == proof.report["instructions"]


@pytest.mark.parametrize("seed", [100, 101, 102])
def test_a_random_guest_is_true_with_sparse_keyframes(seed: int, tmp_path: Path) -> None:
    program = generate(seed, harts=1 + seed % 3)
    proof = verify(record(program, build(program, tmp_path), check_registers=False))
    assert proof.passed, f"seed {seed}: {proof.faults}"
    assert proof.report["final_ram_compared"]
