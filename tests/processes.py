"""Finds processes by their environment and ends them by their id."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

GRACE = 3.0
"""Seconds that a process may take to end by itself, and again after SIGTERM."""

Processes = dict[int, str]
"""Command lines by process id."""


def processes_with(variable: str, value: str) -> Processes:
    """The other live processes that were started with this variable in their environment."""
    wanted = f"{variable}={value}".encode()
    found: Processes = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if wanted not in (folder / "environ").read_bytes().split(b"\0"):
                continue
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue
        if command and int(folder.name) != os.getpid():
            found[int(folder.name)] = command.replace(b"\0", b" ").decode(errors="replace").strip()
    return found


def is_running(pid: int) -> bool:
    """Whether a process of this id is there and has not ended; one that nobody waited for has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def end_processes(find: Callable[[], Processes]) -> list[str]:
    """Waits for the processes to end, then ends them; returns the command lines of those that had to be."""
    left = _wait(find)
    if not left:
        return []
    _signal(left, signal.SIGTERM)
    _signal(_wait(find), signal.SIGKILL)
    _wait(find)
    return sorted(left.values())


def _wait(find: Callable[[], Processes]) -> Processes:
    deadline = time.monotonic() + GRACE
    while (left := find()) and time.monotonic() < deadline:
        time.sleep(0.02)
    return left


def _signal(processes: Processes, number: signal.Signals) -> None:
    for pid in processes:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue
