"""U-Boot under OpenSBI is recorded whole, and its recording is true."""

import re
from pathlib import Path

import pytest

from tests.truth import uboot
from tests.truth.proof import prove


def checksums(console: str) -> list[str]:
    return re.findall(r"==> ([0-9a-f]{8})", console)


@pytest.mark.slow
def test_a_short_script(tmp_path: Path) -> None:
    console, proof = prove(uboot.command(1), tmp_path, uboot.answers(uboot.SHORT))
    assert "Total of 8192 double word(s) were the same" in console
    assert len(checksums(console)) == 1
    assert proof.report["instructions"] > 20_000_000


@pytest.mark.slow
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("harts", [1, 2])
def test_a_script_over_64_megabytes(tmp_path: Path, harts: int) -> None:
    console, proof = prove(uboot.command(harts), tmp_path, uboot.answers(uboot.LONG))
    assert "67108864 bytes filled with random data" in console
    assert "Total of 8388608 double word(s) were the same" in console
    assert console.count("Total of 524288 double word(s) were the same") == 2
    assert len(checksums(console)) == 2
    assert f"Platform HART Count       : {harts}" in console
    assert proof.report["instructions"] >= 500_000_000
    assert proof.report["loads"] > 60_000_000
