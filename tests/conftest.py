"""What holds for every test: a home of its own, no process left behind, no skip unnoticed."""

import os
import signal
import uuid
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.processes import end_processes, processes_with

MARK = "TRACEDBG_TEST"
pytest_plugins = ["tests.kernels.recordings"]

# A background job begins with some signals ignored, which every program that a test starts would inherit.
for _number, _handler in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fail-skipped", action="store_true", help="a test that is skipped has failed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and not hasattr(report, "wasxfail") and item.config.getoption("--fail-skipped"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which this run does not allow: {_reason(report.longrepr)}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.skipped and collector.config.getoption("--fail-skipped"):
        report.outcome = "failed"
        report.longrepr = f"skipped, which this run does not allow: {_reason(report.longrepr)}"
    return report


def _reason(longrepr: object) -> str:
    return str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)


@pytest.fixture(scope="session")
def cache_folder(pytestconfig: pytest.Config) -> Path:
    """Where compiled recorders are kept between tests and between runs; never the user's own folder."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("compiled")


@pytest.fixture(autouse=True)
def own_home(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, cache_folder: Path
) -> None:
    """Keeps the user's home, settings and cache out of the tests."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local/share"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache_folder))
    for name in ("NO_COLOR", "FORCE_COLOR", "TRACEDBG_DEBUG"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_process_left(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Ends what a test started and left running, and fails that test.

    Processes are known by a variable in their environment, so that orphans are found as well.
    """
    mark = f"{os.getpid()}-{uuid.uuid4().hex}"
    monkeypatch.setenv(MARK, mark)
    yield
    left = end_processes(lambda: processes_with(MARK, mark))
    assert not left, f"left running by this test: {', '.join(left)}"
