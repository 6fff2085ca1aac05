"""Each exotic guest's trace is true, and says at the exact t what its table says."""

from pathlib import Path

import pytest

from tests.recorder.check import Checker, CheckError, symbols
from tests.recorder.exotics import EXOTICS, Exotic
from tests.recorder.generator import build
from tests.recorder.recording import record, verify
from tracedbg.store import Trace

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("every_register", [True, False], ids=["keyframe at each t", "sparse keyframes"])
@pytest.mark.parametrize("exotic", EXOTICS, ids=lambda exotic: exotic.name)
def test_the_trace_of_an_exotic_guest_is_exact(exotic: Exotic, every_register: bool, tmp_path: Path) -> None:
    elf = build(exotic.program, tmp_path)
    path = record(exotic.program, elf, check_registers=every_register)
    proof = verify(path)
    with Trace.open(path) as trace:
        faults = _faults(trace, exotic, symbols(elf))
    assert not faults, "\n".join(faults)
    assert proof.passed, proof.faults


def _faults(trace: Trace, exotic: Exotic, labels: dict[str, int]) -> list[str]:
    checker = Checker(trace, labels)
    faults = []
    for expectation in exotic.expectations:
        try:
            checker.check(expectation)
        except CheckError as error:
            faults.append(str(error))
    return faults
