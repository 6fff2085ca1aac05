"""The guest with the overflowing kernel stack: what it prints, run after run, under a real QEMU."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

GUEST = Path(__file__).resolve().parents[2] / "traces" / "guests" / "futex_stack"
BANNER = ["Tracing Teaching Kernel 1.0 (riscv64)", "All tasks present and correct."]
FAILED = "Smoke test failed: /etc/issue banner not found"
NO_MEMORY = "init: clone: NoMem"
TIMEOUT_DATA_PAGE_START = "0x40010c00"

# Each run fails with a probability between 0.1 and 0.9, so 0.9 ** 150 < 2e-7 bounds a false alarm.
MOST_RUNS = 150
FIXED_RUNS = 8
RUN_SECONDS = 60

pytestmark = pytest.mark.slow


def build(target: Path, *settings: str) -> Path:
    """Build the guest into `target` and return that."""
    command = ["make", "-s", "-C", str(GUEST), f"BUILD={target}", *settings]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return target


def run(target: Path, harts: int) -> list[str]:
    """Run a build until it powers off; the console lines of the guest, without the firmware's."""
    command = [str(GUEST / "run.sh"), str(target), str(harts)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        try:
            output, _ = process.communicate(timeout=RUN_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            output, _ = process.communicate()
            output += b"\n[does not end]\n"
    lines = output.decode(errors="replace").replace("\r", "").splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("futex_stack kernel, hart "))
    return lines[start + 1 :]


def passed(lines: list[str]) -> bool:
    """Whether the smoke test went well; a scanner that could not be started does no harm."""
    return [line for line in lines if line != NO_MEMORY] == ["init: start", *BANNER, "smoke test ok"]


@pytest.mark.parametrize("harts", [1, 2])
@pytest.mark.parametrize("optimisation", ["-O0", "-O2"])
def test_fixed_shows_the_banner_in_every_run(tmp_path: Path, optimisation: str, harts: int) -> None:
    target = build(tmp_path, "VARIANT=fixed", f"OPT={optimisation}")

    consoles = [run(target, harts) for _ in range(FIXED_RUNS)]

    assert consoles == [["init: start", *BANNER, "smoke test ok"]] * FIXED_RUNS


@pytest.mark.parametrize("harts", [1, 2])
@pytest.mark.parametrize("optimisation", ["-O0", "-O2"])
def test_buggy_fails_in_some_runs_and_passes_in_others(tmp_path: Path, optimisation: str, harts: int) -> None:
    target = build(tmp_path, "VARIANT=buggy", f"OPT={optimisation}")
    outcomes: set[bool] = set()

    for _ in range(MOST_RUNS):
        outcomes.add(passed(run(target, harts)))
        if len(outcomes) == 2:
            break

    assert outcomes == {True, False}


def first_run_with(target: Path, message: str) -> list[str]:
    """The console of the first run that prints `message`, or nothing."""
    for _ in range(MOST_RUNS):
        lines = run(target, harts=1)
        if message in lines:
            return lines
    return []


def test_buggy_hands_the_futex_call_a_timeout_that_it_refuses(tmp_path: Path) -> None:
    lines = first_run_with(build(tmp_path, "VARIANT=buggy"), "getty: futex: error 22")

    assert [line for line in lines if line != NO_MEMORY] == ["init: start", "getty: futex: error 22", FAILED]


def test_moving_the_timeout_changes_the_symptom_and_cures_nothing(tmp_path: Path) -> None:
    damage = "getty: the text of /etc/issue is damaged"
    target = build(tmp_path, "VARIANT=buggy", f"TS_VA={TIMEOUT_DATA_PAGE_START}")

    lines = first_run_with(target, damage)

    assert [line for line in lines if line != NO_MEMORY] == ["init: start", damage, FAILED]


def test_same_sources_give_the_same_bytes_with_no_path_of_this_machine(tmp_path: Path) -> None:
    first = build(tmp_path / "first")
    second = build(tmp_path / "elsewhere" / "second")

    for name in ("kernel.elf", "disk.img", "user/init.elf", "user/scan.elf"):
        content = (first / name).read_bytes()
        assert content == (second / name).read_bytes()
        assert str(GUEST).encode() not in content
        assert str(tmp_path).encode() not in content


def test_a_variant_of_another_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failure:
        build(tmp_path, "VARIANT=broken")

    assert b"VARIANT is buggy or fixed, not 'broken'" in failure.value.stderr
