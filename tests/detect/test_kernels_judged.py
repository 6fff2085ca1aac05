"""Every kernel of tests/kernels is analysed, and the findings are held against what it declares."""

import pytest

import tracedbg
from tests.detect.conftest import AnalysisOf
from tests.detect.judging import OWNER_KINDS, alarms, function, is_about, iter_told
from tests.kernels.damage import place_of
from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS, LIVE_FRAME, RETURN, UNDERFLOW, Kernel, Truth
from tracedbg.detect import Code, Finding
from tracedbg.detect.analysis import Analysis

pytestmark = pytest.mark.slow

OVERWRITES = {UNDERFLOW, LIVE_FRAME, RETURN}
"""Detectors that name a store, whose memory it hit, and who used what it left."""


def overwrites(analysis: Analysis, truth: Truth) -> list[Finding]:
    """Return the findings of the declared detectors that name a store; there are some."""
    expected = set(truth.detectors) & OVERWRITES
    found = [finding for finding in iter_told(analysis) if finding.detector in expected]
    assert found
    return found


HEALTHY = [kernel for kernel in KERNELS if kernel.truth is None]
BUGGY = [(kernel, kernel.truth) for kernel in KERNELS if kernel.truth is not None and kernel.truth.detectors]
buggy = pytest.mark.parametrize(
    ("kernel", "expected"),
    [pytest.param(kernel, set(truth.detectors), id=kernel.name) for kernel, truth in BUGGY],
)
overwritten = pytest.mark.parametrize(
    ("kernel", "truth"),
    [
        pytest.param(kernel, truth, id=kernel.name)
        for kernel, truth in BUGGY
        if set(truth.detectors) & OVERWRITES
    ],
)
STRIPPED = [kernel for kernel in KERNELS if kernel.stripped]


@pytest.mark.parametrize("kernel", HEALTHY, ids=lambda kernel: kernel.name)
def test_healthy_kernel_gives_no_alarm(kernel: Kernel, kernel_analysis: AnalysisOf) -> None:
    analysis = kernel_analysis(kernel)

    assert [finding.title for finding in alarms(analysis)] == []
    assert analysis.is_clean


@buggy
def test_declared_detectors_find_the_fault(
    kernel: Kernel, expected: set[str], kernel_analysis: AnalysisOf
) -> None:
    analysis = kernel_analysis(kernel)

    assert {finding.detector for finding in iter_told(analysis)} >= expected
    assert len(alarms(analysis)) == 1, "one fault is one story"


@overwritten
def test_store_is_named(kernel: Kernel, truth: Truth, kernel_analysis: AnalysisOf) -> None:
    for finding in overwrites(kernel_analysis(kernel), truth):
        assert finding.writer is not None
        assert function(finding.writer.code) in truth.writers


@overwritten
def test_victim_and_its_owner_are_named(
    kernel: Kernel, truth: Truth, kernel_analysis: AnalysisOf, kernel_run: RunOf
) -> None:
    place = place_of(kernel_run(kernel).trace)
    found = overwrites(kernel_analysis(kernel), truth)
    assert truth.owner is not None

    assert any(is_about(finding, place) for finding in found)
    for finding in found:
        assert finding.owner is not None
        assert finding.owner.kind == OWNER_KINDS[truth.owner]


@overwritten
def test_one_who_used_the_damage_is_named(kernel: Kernel, truth: Truth, kernel_analysis: AnalysisOf) -> None:
    found = overwrites(kernel_analysis(kernel), truth)
    readers = {function(part.code) for finding in found for part in finding.consumers}

    assert readers & set(truth.readers) or not truth.readers


@overwritten
def test_victim_holds_what_the_store_left(
    kernel: Kernel, truth: Truth, kernel_analysis: AnalysisOf, kernel_run: RunOf
) -> None:
    trace = kernel_run(kernel).trace
    for finding in overwrites(kernel_analysis(kernel), truth):
        victim, writer = finding.victim, finding.writer
        assert victim is not None
        assert writer is not None
        assert victim.physical == finding.physical_address
        for t, content in ((writer.t, victim.before), (writer.t + 1, victim.after)):
            known = trace.at(t).memory.read_physical(victim.physical, victim.size)
            assert known.is_complete
            assert known.data == content
        assert victim.before != victim.after


@pytest.mark.parametrize("kernel", STRIPPED, ids=lambda kernel: kernel.name)
def test_symbols_add_names_and_nothing_else(
    kernel: Kernel, kernel_analysis: AnalysisOf, kernel_run: RunOf
) -> None:
    with tracedbg.open(kernel_run(kernel).path) as trace:
        bare = [part for part in iter_told(trace.analyze([UNDERFLOW])) if part.detector == UNDERFLOW]
    named = [part for part in iter_told(kernel_analysis(kernel)) if part.detector == UNDERFLOW]

    assert bare
    for plain, full in zip(bare, named, strict=True):
        assert plain.writer is not None
        assert full.writer is not None
        assert plain.writer.code == Code(full.writer.code.pc)
        assert full.writer.code.symbol is not None
        for fact in ("t", "physical_address", "virtual_addresses", "victim", "owner", "stack"):
            assert getattr(plain, fact) == getattr(full, fact)
