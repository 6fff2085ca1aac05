"""How fast guests are recorded, beside the same guests under a QEMU that records nothing."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks.machine import Watch, busy_children
from benchmarks.report import Goal, Section
from tests.truth import uboot
from tests.truth.dialogue import Answer, Talk, talk
from tests.truth.linux import Linux
from tracedbg.store.trace import Trace

LIMIT = 1800.0
PLAIN = ("-accel", "tcg,thread=single")


@dataclass(frozen=True)
class Workload:
    """A guest that ends by itself."""

    name: str
    command: list[str]
    answers: Sequence[Answer] = ()


@dataclass(frozen=True)
class Sample:
    """One plain run and one recorded run; times are of the whole command, in seconds."""

    plain: float
    recorded: float
    host: float
    """Processor time of the recorder's process."""
    qemu: float
    """Processor time of the QEMU that it recorded."""
    instructions: int
    size: int
    peak: int

    @property
    def rate(self) -> float:
        """Millions of instructions a second."""
        return self.instructions / self.recorded / 1e6

    @property
    def free_rate(self) -> float:
        """Millions of instructions for each second of processor time of the busier process."""
        return self.instructions / max(self.host, self.qemu) / 1e6


def workloads(linux: Linux, harts: int = 1) -> list[Workload]:
    """What is measured."""
    return [
        Workload("U-Boot script", uboot.command(harts), uboot.answers(uboot.LONG)),
        Workload("Linux boot", linux.command(harts)),
    ]


def record(workload: Workload, trace: Path, *options: str, watch: Watch | None = None) -> Talk:
    """Records a workload; raises when its end is not the guest's own or the one asked for."""
    words = [sys.executable, "-m", "tracedbg", "record", "-o", str(trace), "--force", *options, "--"]
    started = watch.follow if watch else None
    run = talk(
        [*words, *workload.command], workload.answers, limit=LIMIT, folder=trace.parent, started=started
    )
    if run.status != 0:
        raise RuntimeError(f"{workload.name} was not recorded: {run.errors}")
    return run


def measure(workload: Workload, trace: Path, runs: int) -> list[Sample]:
    """Plain and recorded runs in alternation; the last trace stays."""
    samples = []
    for number in range(runs):
        program, *arguments = workload.command
        plain = talk([program, *PLAIN, *arguments], workload.answers, limit=LIMIT, folder=trace.parent)
        watch, before = Watch(), busy_children()
        recorded = record(workload, trace, watch=watch)
        guest = busy_children() - before - watch.busy
        with Trace.open(trace) as opened:
            instructions = opened.end - opened.start
        sample = Sample(
            plain=plain.seconds,
            recorded=recorded.seconds,
            host=watch.busy,
            qemu=guest,
            instructions=instructions,
            size=trace.stat().st_size,
            peak=watch.peak,
        )
        samples.append(sample)
        print(f"{workload.name} {number + 1} of {runs}: {sample}", flush=True)
    return samples


def section(results: dict[str, list[Sample]]) -> Section:
    """The table of recording."""
    cells = ("guest", "instructions", "plain", "recorded", "ratio", "M instr/s", "bytes/instr")
    more = ("QEMU's processor", "host's processor", "M instr per processor second", "host's peak memory")
    rows, goals = [], []
    for name, samples in results.items():
        plain, recorded = median(s.plain for s in samples), median(s.recorded for s in samples)
        rate = median(s.rate for s in samples)
        density = median(s.size / s.instructions for s in samples)
        peak = max(s.peak for s in samples)
        count = median(s.instructions for s in samples)
        rows.append(
            f"{name} | {count / 1e6:,.0f} M | {plain:.1f} s | {recorded:.1f} s | {recorded / plain:.1f}"
            f" | {rate:.1f} | {density:.2f} | {median(s.qemu for s in samples):.1f} s"
            f" | {median(s.host for s in samples):.1f} s | {median(s.free_rate for s in samples):.1f}"
            f" | {peak / 1e6:,.0f} MB"
        )
        goals += [
            Goal(f"{name}: at least 20 M instructions a second", f"{rate:.1f} M", rate >= 20),
            Goal(f"{name}: at most 2 bytes for each instruction", f"{density:.2f}", density <= 2),
            Goal(f"{name}: recorder under 1 GB beyond the guest's RAM", f"{peak / 1e6:,.0f} MB", peak < 1e9),
        ]
    return Section("recording", " | ".join(cells + more), rows, goals)
