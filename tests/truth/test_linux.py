"""A whole Linux boot is recorded, ends by itself, and its recording is true."""

from pathlib import Path

import pytest

from tests.truth.disk import DIGEST
from tests.truth.linux import Linux, make_linux
from tests.truth.proof import prove

pytestmark = [pytest.mark.truth, pytest.mark.timeout(9000)]
BOTH = pytest.mark.parametrize("harts", [1, 2])


@pytest.fixture(scope="module")
def linux(cache_folder: Path) -> Linux:
    return make_linux(cache_folder)


def said(console: str) -> list[str]:
    """What the guest's own programs said, in order."""
    return [line.strip() for line in console.splitlines() if line.startswith("truth:")]


@BOTH
def test_an_init_that_waits_forks_pipes_and_powers_off(linux: Linux, tmp_path: Path, harts: int) -> None:
    console, proof = prove(linux.command(harts), tmp_path)
    assert said(console) == [
        f"truth: init on {harts} harts",
        "truth: futex timed out",
        "truth: pipe whole",
        "truth: child left 42",
        "truth: done",
    ]
    assert "reboot: Power down" in console
    assert proof.report["instructions"] > 500_000_000
    assert proof.report["changes"]["page_table_walk"] > 0
    assert proof.report["changes"]["dma"] == 0


@BOTH
def test_a_shell_on_a_virtio_disk(linux: Linux, tmp_path: Path, harts: int) -> None:
    console, proof = prove(linux.command(harts, shell=True), tmp_path)
    assert said(console) == ["truth: shell", "truth: gzip whole", "truth: copy whole", "truth: done"]
    assert DIGEST in console
    assert "reboot: Power down" in console
    assert proof.report["changes"]["dma"] > 0
