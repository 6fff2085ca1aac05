"""What gdb reads from a served trace equals what it reads from a live QEMU at the same instruction."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

import tracedbg
from tests.gdb.conftest import served
from tests.recorder.generator import build, command
from tests.recorder.recording import record
from tests.recorder.test_vectors import KNOWN, guest
from tests.state.runs import UBOOT, live, qemu, recorded_uboot
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
    description = Description.of(trace)
    names = [each.name for each in description.registers.values()]
    environment = {
        **os.environ,
        "SHOW_SOCKET": str(socket),
        "SHOW_STOPS": json.dumps(stops),
        "SHOW_REGISTERS": " ".join(names),
        "SHOW_OUTPUT": str(output),
        "SHOW_RECORDING": str(int(output.stem == "recorded")),
    }
    words = [find_gdb(description.layout.architecture), "-nx", "-q", "-batch", "-x", str(SCRIPT)]
    subprocess.run(words, env=environment, check=True, capture_output=True, text=True, timeout=300)
    answers: list[list[str | None]] = json.loads(output.read_text())
    return answers


def test_registers_and_memory_at_random_moments(trace: Trace, tmp_path: Path) -> None:
    stops = plan(trace, Random(5))[: 2 * STOPS]
    with live(qemu(UBOOT), tmp_path) as socket:
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


@pytest.mark.parametrize("bits", [128, 512])
def test_vector_registers_are_shown_as_a_live_qemu_shows_them(bits: int, tmp_path: Path) -> None:
    program = guest("known", KNOWN, bits=bits)
    elf = build(program, tmp_path)
    recording = record(program, elf, check_registers=False)
    with tracedbg.open(recording, symbols=[str(elf)]) as opened:
        times = [opened.position(name) for name in ("one", "two", "three", "handled", "four")]
        stops = [stop for t in times for stop in ((opened.at(t).pc or 0, 1, t), (-1, 0, t))]
        with live(command(program, elf), tmp_path) as socket:
            expected = show(opened, socket, stops, tmp_path / "live.json")
        with served(opened, opened.start, Unix(tmp_path / "trace")):
            found = show(opened, tmp_path / "trace", stops, tmp_path / "recorded.json")
    for ours, theirs, t in zip(found, expected, times, strict=True):
        assert ours[0] is not None
        assert theirs[0] is not None
        assert ours[0].splitlines() == theirs[0].splitlines(), t
    assert "v31 " in (found[0][0] or "")
    # What was loaded before the trap: one element of two.
    assert "l = {0x0, 0x81fffff0" in next(
        line for line in (found[3][0] or "").splitlines() if line.startswith("v10 ")
    )
