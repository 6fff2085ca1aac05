"""Runs ``tracedbg`` as a person does, and looks at what it leaves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from tracedbg.store import Trace
from tracedbg.verify.verify import verify

TRACEDBG = (sys.executable, "-m", "tracedbg")
LIMIT = 120.0


class Done(NamedTuple):
    """How a command ended."""

    status: int
    out: str
    err: str


def tracedbg(*words: object, given: str | None = None, **settings: Any) -> Done:  # noqa: ANN401 - subprocess's
    """Run tracedbg to its end."""
    done = subprocess.run(
        [*TRACEDBG, *map(str, words)], input=given, capture_output=True, text=True, timeout=LIMIT,
        check=False, stdin=subprocess.DEVNULL if given is None else None, **settings,
    )  # fmt: skip
    return Done(done.returncode, done.stdout, done.stderr)


class Running:
    """A recording under way, ended on leaving the ``with`` block."""

    def __init__(self, output: Path, options: Sequence[object], command: Sequence[str]) -> None:
        words = [*TRACEDBG, "record", "-o", str(output), *map(str, options), "--", *command]
        self._output = output
        self.process = subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def wait_until_written(self, size: int = 200_000) -> None:
        """Wait until so many bytes of epochs have been written."""
        wait_until(lambda: _size(self._output.with_name(self._output.name + ".partial")) >= size)

    def qemu(self) -> int:
        """The process id of QEMU, the command itself."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return int(children.read_text().split()[0])

    def end(self) -> Done:
        """Wait for the end."""
        out, err = self.process.communicate(timeout=LIMIT)
        return Done(self.process.returncode, out, err)


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(part.stat().st_size for part in path.glob("*.segment"))
    return path.stat().st_size if path.exists() else 0


def wait_until(holds: Callable[[], bool], limit: float = 60.0) -> None:
    """Wait until something holds; AssertionError when it takes too long."""
    deadline = time.monotonic() + limit
    while not holds():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    """Whether a process has ended."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "Z"


def kill(pid: int, number: signal.Signals = signal.SIGKILL) -> None:
    os.kill(pid, number)


def prove(trace: Path, *, ram: bool = True) -> int:
    """Verify a trace, RAM at the end included where ``ram``; return its instructions."""
    report = verify(trace)
    assert report.passed, report.examples
    assert report.losses == ()
    assert report.final_ram_compared == ram
    # The instruction that was under way at the end.
    assert report.unknown_results <= 1
    return report.instructions


def ending(trace: Path) -> tuple[str, int | None]:
    """How the trace says that it ended, and QEMU's exit code."""
    with Trace.open(trace) as opened:
        assert opened.ending is not None
        return opened.ending.how, opened.ending.exit_code


def left_beside(trace: Path) -> list[str]:
    """The names of the files of a recording."""
    return sorted(path.name for path in trace.parent.glob(trace.name + "*"))
