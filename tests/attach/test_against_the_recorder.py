"""What single steps through a stub show equals what the recorder saw of the same run."""

from collections.abc import Iterator

import numpy as np
import pytest

import tracedbg
from tests.state.runs import build_guest, live, qemu, record
from tracedbg.cli.main import main
from tracedbg.state import Trace

STEPS = 6000
CHECKED = 150

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Trace, Trace]]:
    """A recording, and a capture of steps from its kernel's entry on."""
    folder = tmp_path_factory.mktemp("same")
    kernel = build_guest(folder / "kernel.elf")
    recorded = record(kernel, folder / "recorded.bin")
    captured = folder / "captured.bin"
    with live(qemu(kernel), folder) as stub:
        plan = ["--break", "_start", "--stops", "1", "--step", str(STEPS)]
        assert main(["attach", f"unix:{stub}", "-o", str(captured), "--symbols", str(kernel), *plan]) == 0
    with tracedbg.open(recorded) as whole, tracedbg.open(captured) as capture:
        yield whole, capture


def test_every_moment_has_the_same_pc_and_registers(traces: tuple[Trace, Trace]) -> None:
    whole, capture = traces
    first, own = int(whole.position("_start")), int(capture.position("_start"))
    for step in np.linspace(0, STEPS - 1, CHECKED).astype(int).tolist():
        expected, found = whole.at(first + step), capture.at(own + step)
        assert (found.pc, found.privilege) == (expected.pc, expected.privilege), step
        differing = {
            name: (value, expected.registers[name])
            for name, value in found.registers.items()
            if value is not None and value != expected.registers[name]
        }
        assert differing == {}, step
        assert sum(value is not None for value in found.registers.values()) > 80


def test_every_access_is_the_same(traces: tuple[Trace, Trace]) -> None:
    whole, capture = traces
    first, own = int(whole.position("_start")), int(capture.position("_start"))
    area = whole.store.guest.ram[0]
    fields = ["t", "kind", "virtual", "physical", "size", "value"]
    rows = []
    for trace, start in ((whole, first), (capture, own)):
        found = trace.accesses((area.start, area.size), between=(start, start + STEPS))
        found = found[np.isin(found["kind"], (1, 2))][fields].copy()
        found["t"] -= start
        rows.append(found)
    assert len(rows[0]) > 500
    assert rows[0].tolist() == rows[1].tolist()


def test_every_trap_is_the_same(traces: tuple[Trace, Trace]) -> None:
    whole, capture = traces
    first, own = int(whole.position("_start")), int(capture.position("_start"))
    moments = [
        step for step in range(STEPS)
        if capture.at(own + step).trap is not None or whole.at(first + step).trap is not None
    ]  # fmt: skip
    assert moments
    for step in moments:
        expected, found = whole.at(first + step).trap, capture.at(own + step).trap
        assert expected is not None
        assert found is not None
        for name in ("cause", "epc", "value", "source", "target"):
            assert getattr(found, name) == getattr(expected, name), (step, name)
