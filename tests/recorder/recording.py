"""Records a guest with the recorder under test, and proves the trace with ``tracedbg verify``."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.recorder.generator import Program, command

LIMIT = 180.0
"""Seconds that recording or verifying one small guest may take."""
_TRACEDBG = (sys.executable, "-m", "tracedbg")


class RecordingError(AssertionError):
    """The recorder or the guest in it failed; ``str()`` holds what they said."""


@dataclass(frozen=True)
class Proof:
    """What verify said about a trace."""

    passed: bool
    report: Mapping[str, Any]

    @property
    def faults(self) -> str:
        """The counts that are not zero, and examples."""
        counts = {check: count for check, count in self.report["mismatches"].items() if count}
        if self.report["unexplained"]:
            counts["unexplained"] = self.report["unexplained"]
        return "\n".join([f"{counts}", *self.report["examples"]])


def record(program: Program, elf: Path, *, check_registers: bool = True, limit: float = LIMIT) -> Path:
    """Record a built guest beside its ELF file and return the trace.

    With ``check_registers`` every instruction start carries all registers, so that verify compares them all.
    """
    trace = elf.with_suffix(".bin")
    options = ["--keyframe-every", "1"] if check_registers else []
    arguments = [*_TRACEDBG, "record", "-o", str(trace), "--force", *options, "--", *command(program, elf)]
    result = _run(arguments, elf.parent, limit)
    if result.returncode != program.exit_code or not trace.exists():
        said = result.stderr.decode(errors="replace")
        raise RecordingError(
            f"{program.name}: exit code {result.returncode}, not {program.exit_code}\n{said}"
        )
    return trace


def verify(trace: Path, *, limit: float = LIMIT) -> Proof:
    """Prove a trace; raises when verify itself breaks."""
    result = _run([*_TRACEDBG, "verify", str(trace), "--json"], trace.parent, limit)
    try:
        report = json.loads(result.stdout)
    except ValueError:
        said = result.stderr.decode(errors="replace")
        raise RecordingError(f"verify ended with {result.returncode} and no report\n{said}") from None
    return Proof(passed=result.returncode == 0 and bool(report["passed"]), report=report)


def _run(arguments: list[str], folder: Path, limit: float) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run(
            arguments, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False
        )
    except subprocess.TimeoutExpired:
        raise RecordingError(f"not finished after {limit:.0f} s: {' '.join(arguments)}") from None
