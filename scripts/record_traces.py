"""Record the shipped traces anew: python -m scripts.record_traces [FOLDER].

Builds the guest of traces/guests/futex_stack, then records runs until one fails by its futex, as most
failing ones do, and one run of the repaired kernel.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
GUEST = ROOT / "traces" / "guests" / "futex_stack"
RUNS = 40
LEVEL = "15"


def build(variant: str) -> Path:
    """Build a variant; return its folder, relative to that of guests: a trace keeps given paths."""
    out = Path("build") / variant
    settings = [f"VARIANT={variant}", "OPT=-O2", f"BUILD={GUEST.parent / out}"]
    subprocess.run(["make", "-s", "-C", GUEST, *settings], check=True, timeout=300)
    return out


def record(built: Path, trace: Path) -> str:
    """Record one run and return what the console showed."""
    options = ["--force", "--level", LEVEL, "-o", str(trace.absolute())]
    # The debug information names sources from here.
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tracedbg",
            "record",
            *options,
            "--",
            "sh",
            "futex_stack/run.sh",
            str(built),
            "1",
        ],
        cwd=GUEST.parent,
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
    record_until(build("buggy"), folder / "stack_futex.bin", "futex: error")
    record_until(build("fixed"), folder / "stack_futex_fixed.bin", "smoke test ok")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "traces")
