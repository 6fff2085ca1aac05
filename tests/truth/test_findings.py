"""Every failing run of the guest with the overflowing stack is explained, and no run of the repaired one."""

import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle, islice
from pathlib import Path

import pytest

import tracedbg
from tests.guests.test_futex_stack import GUEST, build
from tracedbg.detect.analysis import Analysis

pytestmark = [pytest.mark.truth, pytest.mark.timeout(9000)]

RUNS = 20
MOST_RUNS = 400
RUN_SECONDS = 300
KINDS = [(optimisation, harts) for optimisation in ("-O2", "-O0") for harts in (1, 2)]


def analyses(folder: Path, variant: str) -> Iterator[tuple[str, Analysis]]:
    """Yield the console and the analysis of one recorded run after the other, of each build in turn."""
    builds = {
        optimisation: build(folder / optimisation, f"VARIANT={variant}", f"OPT={optimisation}")
        for optimisation, _ in KINDS
    }
    path = folder / "trace.bin"
    for optimisation, harts in cycle(KINDS):
        words = [sys.executable, "-m", "tracedbg", "record", "--force", "-o", str(path), "--"]
        command = [*words, str(GUEST / "run.sh"), str(builds[optimisation]), str(harts)]
        # A guest whose memory is ruined may do anything, also run on and on.
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            try:
                process.wait(RUN_SECONDS)
            except subprocess.TimeoutExpired:
                process.terminate()
        with tracedbg.open(path) as trace:
            yield trace.console().text, trace.analyze()


def test_twenty_failing_runs_are_explained(tmp_path: Path) -> None:
    runs = islice(analyses(tmp_path, "buggy"), MOST_RUNS)
    failing = (analysis for console, analysis in runs if not console.rstrip().endswith("smoke test ok"))
    found = [{story.detector for story in analysis.findings} for analysis in islice(failing, RUNS)]
    assert len(found) == RUNS
    assert [detectors for detectors in found if "stack-underflow" not in detectors] == []


def test_twenty_repaired_runs_are_clean(tmp_path: Path) -> None:
    runs = list(islice(analyses(tmp_path, "fixed"), RUNS))
    assert {console.rstrip().splitlines()[-1] for console, _ in runs} == {"smoke test ok"}
    assert [[f.title for f in analysis.findings] for _, analysis in runs if not analysis.is_clean] == []
