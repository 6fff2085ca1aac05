"""At the end of a recording harts stand where a longer recording of the same run shows them going on."""

import subprocess
import sys
from pathlib import Path

import pytest

import tracedbg
from tests.truth import uboot

ICOUNT = ("-icount", "shift=7,sleep=off")
LONG = 2_000_000
ENDS = (37, 5_000, 120_001, 400_003, 799_983, 900_007, 1_300_021, 1_999_993)
HARTS = 2

pytestmark = pytest.mark.slow


def recorded(path: Path, stop_at: int) -> Path:
    command = [sys.executable, "-m", "tracedbg", "record", "-o", str(path), "--stop-at", str(stop_at), "--"]
    subprocess.run(
        [*command, *uboot.command(HARTS), *ICOUNT], check=True, stdin=subprocess.DEVNULL, capture_output=True
    )
    return path


def test_harts_stand_where_the_longer_recording_shows_them(tmp_path: Path) -> None:
    known = 0
    with tracedbg.open(recorded(tmp_path / "long.bin", LONG)) as long:
        for end in ENDS:
            with tracedbg.open(recorded(tmp_path / f"{end}.bin", end)) as short:
                for hart in range(HARTS):
                    found = short.at("end", hart=hart).pc
                    assert found is None or found == long.at(short.end, hart=hart).pc, (end, hart)
                    known += found is not None
    # Of a hart that has not run yet it is not known, nor where it is not told whether the last one trapped.
    assert known > len(ENDS) * HARTS // 2
