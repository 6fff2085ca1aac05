"""What the figures depend on, and what the operating system tells about processes."""

import os
import platform
import re
import subprocess
import threading
from pathlib import Path
from statistics import quantiles


def describe() -> list[str]:
    """The machine in a few lines, without anything that names it."""
    cpu = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9
    qemu = subprocess.run(["qemu-system-riscv64", "--version"], capture_output=True, text=True, check=True)
    kernel = platform.release().partition("-")[0]
    return [
        f"{cpu[1] if cpu else platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GB",
        f"Linux {kernel}, Python {platform.python_version()}, {qemu.stdout.splitlines()[0]}",
        "load average while it began: " + " ".join(f"{load:.1f}" for load in os.getloadavg()),
    ]


def forget(path: Path) -> None:
    """Drops a file from the system's cache, so that the next read goes to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fdatasync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


class Watch:
    """Follows a process from outside until it ends: its resident memory, and the processor time it used."""

    INTERVAL = 0.05

    def __init__(self) -> None:
        self.peak = 0
        """Bytes, with the pages that it shares with other processes."""
        self.busy = 0.0
        """Seconds of processor time, without its children's."""
        self._thread: threading.Thread | None = None

    def follow(self, process: int) -> None:
        """Starts to follow; returns at once."""
        self._thread = threading.Thread(target=self._watch, args=(process,), daemon=True)
        self._thread.start()

    def _watch(self, process: int) -> None:
        while (peak := peak_of(process)) is not None:
            self.peak = max(self.peak, peak)
            self.busy = max(self.busy, busy_of(process))
            threading.Event().wait(self.INTERVAL)


def peak_of(process: int | str) -> int | None:
    """The most bytes that a process ("self" for this one) ever had in memory; None when it has ended."""
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


def busy_of(process: int) -> float:
    """Seconds of processor time that a process used, without its children's; 0 when it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy_children() -> float:
    """Seconds of processor time of all processes that this one waited for, and of theirs."""
    used = os.times()
    return used.children_user + used.children_system


def percentile(values: list[float], percent: int) -> float:
    """A percentile of some values, between two of them where it falls there."""
    if len(values) < 2:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]
