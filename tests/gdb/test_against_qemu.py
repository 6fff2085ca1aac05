"""What gdb reads from a served trace equals what it reads from a live QEMU at the same instruction."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.gdb.conftest import served
from tests.state.runs import UBOOT, live, recorded_uboot
from tests.state.test_against_qemu import plan
from tracedbg.gdb.description import Description
from tracedbg.gdb.launch import find_gdb
from tracedbg.gdb.transport import Unix
from tracedbg.ids import Time
from tracedbg.state import Trace

STOPS = 60
SCRIPT = Path(__file__).with_name("inside_gdb.py")

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    with recorded_uboot(tmp_path_factory.mktemp("uboot")) as opened:
        yield opened


def show(
    trace: Trace, socket: Path, stops: list[tuple[int, int, Time]], output: Path
) -> list[list[str | None]]:
    """Have gdb show what it reads at the stops."""
    layout = trace.recording.arch.debugger_layout
    names = [each.name for each in Description(layout, trace.at(0).registers).registers.values()]
    environment = {
        **os.environ,
        "SHOW_SOCKET": str(socket),
        "SHOW_STOPS": json.dumps(stops),
        "SHOW_REGISTERS": " ".join(names),
        "SHOW_OUTPUT": str(output),
        "SHOW_RECORDING": str(int(output.stem == "recorded")),
    }
    command = [find_gdb(layout.architecture), "-nx", "-q", "-batch", "-x", str(SCRIPT)]
    subprocess.run(command, env=environment, check=True, capture_output=True, text=True, timeout=300)
    answers: list[list[str | None]] = json.loads(output.read_text())
    return answers


def test_registers_and_memory_at_random_moments(trace: Trace, tmp_path: Path) -> None:
    stops = plan(trace, Random(5))[: 2 * STOPS]
    with live(UBOOT, tmp_path) as socket:
        expected = show(trace, socket, stops, tmp_path / "live.json")
    with served(trace, trace.start, Unix(tmp_path / "trace")):
        found = show(trace, tmp_path / "trace", stops, tmp_path / "recorded.json")
    assert len(found) == STOPS
    for number, (ours, theirs) in enumerate(zip(found, expected, strict=True)):
        t = stops[2 * number + 1][2]
        assert ours[0] is not None
        assert theirs[0] is not None
        assert ours[0].splitlines() == theirs[0].splitlines(), t
        assert ours[1:] == theirs[1:], t
    assert sum(memory is not None for _, *pages in found for memory in pages) > STOPS
