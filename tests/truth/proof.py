"""Records a whole guest, lets it end by itself, and proves the trace."""

import sys
from collections.abc import Sequence
from pathlib import Path

from tests.recorder.recording import Proof, verify
from tests.truth.dialogue import Answer, talk

RECORDING = 1800.0
"""Seconds that a recording may take; a machine that does other things as well is slow."""
VERIFYING = 7200.0


def prove(command: Sequence[str], folder: Path, answers: Sequence[Answer] = ()) -> tuple[str, Proof]:
    """The guest's console and the proof of its trace, which has to hold; the trace is gone afterwards."""
    trace = folder / "trace.bin"
    words = [sys.executable, "-m", "tracedbg", "record", "-o", str(trace), "--", *command]
    run = talk(words, answers, limit=RECORDING, folder=folder)
    assert run.status == 0, run.errors
    assert "ended by guest shutdown" in run.errors
    proof = verify(trace, limit=VERIFYING)
    assert proof.passed, f"{run.errors}{proof.faults}"
    assert proof.report["final_ram_compared"], run.errors
    assert proof.report["unexplained"] == 0
    assert not proof.report["losses"]
    trace.unlink()
    return run.console, proof
