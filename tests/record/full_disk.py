"""Records to a small disk of its own, which it fills; run with a mount namespace of its own.

Once with the usual margin, and once without, so that a write fails.
"""

import subprocess
import sys
from pathlib import Path

from tracedbg.record import disk
from tracedbg.record.host import Options, Recorder
from tracedbg.verify.verify import verify

SLOTS_AND_SOME = "460m"


def record(folder: Path, command: list[str], name: str) -> None:
    trace = folder / f"{name}.bin"
    result = Recorder(trace, Options()).run(command)
    (summary,) = result.summaries
    proof = verify(trace)
    verdict = "passed" if proof.passed and proof.final_ram_compared else f"failed {proof.examples}"
    left = len(list(folder.iterdir())) - 1
    print(f"{name}: {summary.how} {result.status} {verdict}", left or "")  # noqa: T201 - the test reads it
    trace.unlink()


def main() -> None:
    folder, *command = sys.argv[1:]
    Path(folder).mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SLOTS_AND_SOME}", "tmpfs", folder], check=True)
    record(Path(folder), command, "margin")
    disk.MARGIN = 0
    record(Path(folder), command, "no margin")


if __name__ == "__main__":
    main()
