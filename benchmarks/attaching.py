"""How many single-stepped moments a second a capture takes, beside what the stub itself gives."""

import os
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.report import Goal, Section
from tests.attach.machines import Machine, machine
from tests.state.runs import UBOOT
from tracedbg.gdb.capture.epoch import EpochColumns
from tracedbg.gdb.capture.guest import LiveGuest
from tracedbg.gdb.capture.stepper import STEP_SECONDS, Stepper
from tracedbg.gdb.capture.stub import Stub
from tracedbg.gdb.capture.writer import CaptureWriter
from tracedbg.gdb.transport import connect, parse_address

QEMU = ("qemu-system-riscv64",)
WARM_UP = 2000
GOAL = 2500.0


def measure(steps: int, runs: int) -> Section:
    """Measures both in turn, each from the firmware's start."""
    raw, captured, sizes = [], [], []
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="tracedbg-bench-") as folder:
            path = Path(folder)
            with machine(QEMU, path / "raw", "-kernel", str(UBOOT)) as target:
                raw.append(_raw(target, steps))
            with machine(QEMU, path / "capture", "-kernel", str(UBOOT)) as target:
                rate, size = _captured(target, steps, path / "capture.bin")
                captured.append(rate)
                sizes.append(size)
    rows = [
        f"step and general registers alone | {median(raw):,.0f} | ",
        f"complete moments, written to a trace | {median(captured):,.0f} | {median(sizes) / steps:.1f}",
    ]
    goal = Goal(
        f"{GOAL:,.0f} moments a second over a unix socket",
        f"{median(captured):,.0f}, {median(captured) / median(raw):.0%} of what the stub gives",
        median(captured) >= GOAL,
    )
    return Section("attaching", "through the stub | a second | bytes each", rows, [goal])


def _raw(target: Machine, steps: int) -> float:
    with Stub(connect(parse_address(target.address))) as stub:
        guest = LiveGuest(stub)
        guest.step_mask(interrupts=False)
        step = b"s:" + guest.threads[0]
        start = time.perf_counter()
        for _ in range(steps):
            stub.resume(step)
            stub.wait(STEP_SECONDS)
            stub.ask(b"g")
        return steps / (time.perf_counter() - start)


def _captured(target: Machine, steps: int, path: Path) -> tuple[float, int]:
    with Stub(connect(parse_address(target.address))) as stub, path.open("wb") as file:
        guest = LiveGuest(stub)
        guest.step_mask(interrupts=False)
        writer = CaptureWriter(file, len(guest.threads))
        writer.begin(guest.describe())
        writer.epoch(EpochColumns(0, 0, guest.harts))
        Stepper(guest, writer, 0).run(WARM_UP)
        before = os.fstat(file.fileno()).st_size
        start = time.perf_counter()
        Stepper(guest, writer, 0).run(steps)
        rate = steps / (time.perf_counter() - start)
        file.flush()
        return rate, os.fstat(file.fileno()).st_size - before
