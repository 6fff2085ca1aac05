"""How fast ``why`` explains a crash at the end of a long trace, from the start of the command to its end."""

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import tracedbg
from benchmarks.machine import forget
from benchmarks.recording import Workload
from benchmarks.report import Goal, Section
from tests.truth import uboot
from tracedbg.provenance import why

RUNS = 5
GOAL = 2.0
WILD_STORE = "mw.q ffffffff00000000 1"


@dataclass(frozen=True)
class Explained:
    """Seconds of the whole command with the file out of and in the cache, and of the walk alone."""

    instructions: int
    cold: float
    warm: float
    answer: float
    steps: int


def workload() -> Workload:
    """U-Boot's long script, with a store to an address that was typed in place of its end."""
    command = [*uboot.command(1), "-no-reboot"]
    return Workload("U-Boot crash", command, uboot.answers((*uboot.LONG[:-1], WILD_STORE)))


def measure(path: Path) -> Explained:
    """Asks why the guest faulted, with the file dropped from the system's cache and with it there."""
    with tracedbg.open(path) as trace:
        instructions = trace.end - trace.start
        start = time.perf_counter()
        steps = len(why(trace, "fault").steps)
        answer = time.perf_counter() - start
    cold = []
    for _ in range(RUNS):
        forget(path)
        cold.append(_command(path))
    warm = [_command(path) for _ in range(RUNS)]
    return Explained(instructions, median(cold), median(warm), answer, steps)


def _command(path: Path) -> float:
    start = time.perf_counter()
    words = [sys.executable, "-m", "tracedbg", "why", str(path), "fault", "--json"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def section(results: dict[str, Explained]) -> Section:
    """The table of explanations."""
    head = (
        "trace | instructions | whole command, file not in the cache | in the cache | the walk alone | steps"
    )
    rows = [
        f"{name} | {found.instructions / 1e6:,.0f} M | {found.cold:.2f} s | {found.warm:.2f} s | "
        f"{found.answer * 1000:.0f} ms | {found.steps}"
        for name, found in results.items()
    ]
    goals = [
        Goal(f"{name}: a crash explained in under {GOAL:.0f} s", f"{found.cold:.2f} s", found.cold < GOAL)
        for name, found in results.items()
    ]
    return Section("crashes", head, rows, goals)
