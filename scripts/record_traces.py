"""Record traces/stack_futex.bin and traces/stack_futex_fixed.bin anew: python -m scripts.record_traces [FOLDER].

Builds the guest of traces/guests/futex_stack, then records runs until one fails by its futex, as most do, and one
run of the repaired kernel.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parent.parent
GUEST = ROOT / "traces" / "guests" / "futex_stack"
RUNS = 40
LEVEL = "15"


def build(variant: str, folder: Path) -> Path:
    """Return the folder of a build."""
    out = folder / variant
    subprocess.run(
        ["make", "-s", "-C", GUEST, f"VARIANT={variant}", "OPT=-O2", f"BUILD={out}"], check=True, timeout=300
    )
    return out


def record(built: Path, trace: Path) -> str:
    """Record one run and return what the console showed."""
    command = [sys.executable, "-m", "tracedbg", "record", "--force", "--level", LEVEL, "-o", str(trace), "--"]
    done = subprocess.run(
        [*command, "sh", str(GUEST / "run.sh"), str(built), "1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=True,
        timeout=300,
    )
    return done.stdout.decode(errors="replace")


def record_until(built: Path, trace: Path, wanted: str) -> None:
    """Record runs until one shows ``wanted``; SystemExit when none of RUNS does."""
    for _ in range(RUNS):
        if wanted in record(built, trace):
            return
    raise SystemExit(f"none of {RUNS} runs showed {wanted!r}")


def main(folder: Path) -> None:
    """Record both traces into ``folder``."""
    with tempfile.TemporaryDirectory(prefix="tracedbg-") as builds:
        record_until(build("buggy", Path(builds)), folder / "stack_futex.bin", "futex: error")
        record_until(build("fixed", Path(builds)), folder / "stack_futex_fixed.bin", "smoke test ok")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "traces")
