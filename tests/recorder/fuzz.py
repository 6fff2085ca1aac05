"""Records random guests without end and stops at the first trace that is not true: ``make fuzz-recorder``.

    python -m tests.recorder.fuzz [FIRST:LAST] [--harts N] [--folder FOLDER] [--keep-going]

The folder of a failing seed keeps source, ELF file, trace and verify's report.
"""

import argparse
import itertools
import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.recorder.generator import BuildError, build, generate
from tests.recorder.recording import RecordingError, record, verify

VECTOR_BITS = (0, 128, 0, 256, 0, 512, 1024)
"""By the seed's remainder; 0 is a CPU without vectors."""


def check(seed: int, harts: int, folder: Path) -> tuple[int, str | None]:
    """Record and verify one guest; return its instructions, and what is wrong or None."""
    program = generate(seed, harts, vector_bits=VECTOR_BITS[seed % len(VECTOR_BITS)])
    try:
        proof = verify(record(program, build(program, folder)))
    except (RecordingError, BuildError) as error:
        return 0, str(error)
    (folder / "verify.json").write_text(json.dumps(dict(proof.report), indent=2))
    return int(proof.report["instructions"]), None if proof.passed else proof.faults


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    began, instructions, failed = time.monotonic(), 0, 0
    for done, seed in enumerate(_seeds(options.seeds), start=1):
        harts = options.harts or 1 + seed % 3
        folder = options.folder.resolve() / f"seed-{seed}-{harts}"
        ran, fault = check(seed, harts, folder)
        instructions += ran
        if fault is None:
            shutil.rmtree(folder)
        else:
            failed += 1
            _say(f"\nseed {seed} on {harts} harts fails, kept in {folder}\n{fault}\n")
            if not options.keep_going:
                return 1
        rate = done / (time.monotonic() - began)
        _say(f"\r{done:,} guests, {failed:,} failed, {instructions:,} instructions, {rate:.1f} a second ")
    _say("\n")
    return 1 if failed else 0


def _seeds(text: str) -> Iterator[int]:
    """FIRST:LAST, both included, or FIRST: without end."""
    first, _, last = text.partition(":")
    return iter(range(int(first), int(last) + 1)) if last else itertools.count(int(first))


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "seeds", nargs="?", default="1000:", metavar="FIRST:LAST", help="without LAST endless"
    )
    parser.add_argument("--harts", type=int, default=0, help="one to three; by the seed when left out")
    parser.add_argument(
        "--folder", type=Path, default=Path("build/fuzz-recorder"), help="where failures are kept"
    )
    parser.add_argument("--keep-going", action="store_true", help="do not stop at a failure")
    return parser.parse_args(arguments)


def _say(text: str) -> None:
    sys.stderr.write(text)
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
