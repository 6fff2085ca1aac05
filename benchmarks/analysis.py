"""How fast ``analyze`` goes through a long trace, and how much memory it takes."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tracedbg
from benchmarks.report import Goal, Section
from tracedbg.kernel.history import read_history
from tracedbg.kernel.trace_index import TraceIndex

GOAL_SPEED = 10e6
GOAL_MEMORY = 2 << 30
CODES = (0, 1)
"""Exit codes of an analysis that came to its end."""


@dataclass(frozen=True)
class Analysed:
    """Seconds of the pass over the trace and of the whole command, and the command's peak memory in bytes."""

    instructions: int
    scan: float
    whole: float
    memory: int

    @property
    def speed(self) -> float:
        """Instructions a second in the pass."""
        return self.instructions / self.scan


def measure(path: Path) -> Analysed:
    """Analyses a trace by a command of its own; the pass alone is timed here."""
    with tracedbg.open(path) as trace:
        instructions = trace.end - trace.start
        start = time.perf_counter()
        read_history(TraceIndex(trace.store))
        scan = time.perf_counter() - start
    start = time.perf_counter()
    words = [sys.executable, "-m", "tracedbg", "analyze", str(path), "--json"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    whole = time.perf_counter() - start
    if process.returncode not in CODES:
        raise subprocess.CalledProcessError(process.returncode, words)
    return Analysed(instructions, scan, whole, usage.ru_maxrss * 1024)


def section(results: dict[str, Analysed]) -> Section:
    """The table of analyses."""
    head = "trace | instructions | the pass over it | instructions a second | whole command | peak memory"
    rows = [
        f"{name} | {found.instructions / 1e6:,.0f} M | {found.scan:.0f} s | {found.speed / 1e6:.1f} M | "
        f"{found.whole:.0f} s | {found.memory / 2**20:,.0f} MiB"
        for name, found in results.items()
    ]
    goals = []
    for name, found in results.items():
        speed, memory = f"{found.speed / 1e6:.1f} M", f"{found.memory / 2**20:,.0f} MiB"
        goals.append(
            Goal(f"{name}: 10 M instructions a second in the pass", speed, found.speed >= GOAL_SPEED)
        )
        goals.append(Goal(f"{name}: analysed in under 2 GiB", memory, found.memory < GOAL_MEMORY))
    return Section("analysis", head, rows, goals)
