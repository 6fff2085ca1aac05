"""Detectors of other packages that misbehave are named, and the others go on."""

from collections.abc import Iterator
from importlib.metadata import EntryPoint

import pytest

import tracedbg
from tests.detect.strange_detectors import GOOD
from tests.session.program import run_program, write_program
from tracedbg.detect.analysis import Analysis, analyze
from tracedbg.detect.findings_json import analysis_json
from tracedbg.detect.plugins import GROUP, Plugin
from tracedbg.detect.report import report
from tracedbg.kernel.view import KernelView


@pytest.fixture(scope="module")
def view(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelView]:
    path = tmp_path_factory.mktemp("program") / "program.bin"
    write_program(run_program(), path)
    with tracedbg.open(path) as trace:
        yield trace.kernel


def plugin(name: str) -> Plugin:
    entry = EntryPoint(name.lower(), f"tests.detect.strange_detectors:{name}", GROUP)
    return Plugin(name.lower(), "weather", entry)


def run(view: KernelView, *names: str) -> Analysis:
    return analyze(view, [plugin(name) for name in names], patience=2)


def test_a_good_one_is_heard(view: KernelView) -> None:
    analysis = run(view, "Good")
    assert [finding.title for finding in analysis.findings] == [GOOD.title]
    assert [(part.detector, part.checks[0].text) for part in analysis.checked] == [("good", "the street")]
    assert analysis.failures == ()
    assert not analysis.is_clean


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("Broken", "ZeroDivisionError: no street"),
        ("Misinformed", "there is no register street"),
        ("Quitting", "SystemExit: 7"),
        ("Endless", "it has not ended after 2 seconds"),
        ("Talking", "it yielded a str, which is neither a Finding nor a Check"),
        ("Early", "it yielded a Finding at t -1, which the trace does not have"),
        ("Untitled", "it yielded a Finding whose title is a NoneType"),
        ("Silent", "TypeError: 'NoneType' object is not iterable"),
        ("Unfinished", "AttributeError: 'Unfinished' object has no attribute 'summary'"),
        ("Missing", "AttributeError: module 'tests.detect.strange_detectors' has no attribute 'Missing'"),
    ],
)
def test_a_bad_one_is_named_and_the_next_one_is_heard(view: KernelView, name: str, problem: str) -> None:
    analysis = run(view, name, "Good")
    assert analysis.failures == (f"detector {name.lower()} of weather: {problem}",)
    assert [finding.title for finding in analysis.findings] == [GOOD.title]


def test_failures_are_in_the_report_and_in_the_json(view: KernelView) -> None:
    analysis = run(view, "Talking")
    failure = "detector talking of weather: it yielded a str, which is neither a Finding nor a Check"
    assert f"Not checked:\n   {failure}" in report(analysis)
    found = analysis_json(analysis)
    assert isinstance(found, dict)
    assert found["failures"] == [failure]
