"""The shipped recordings, and new ones made of the same guest, tell the case."""

from pathlib import Path

import pytest

import tracedbg
from scripts.record_traces import main as record_traces
from tests.guests.timeouts import Timeout, iter_timeouts
from tracedbg.verify.verify import verify

SHIPPED = Path(__file__).parents[2] / "traces"
FAILING, FIXED = "stack_futex.bin", "stack_futex_fixed.bin"
LIMIT = 10_000_000
USER, SUPERVISOR = 0, 1


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    record_traces(folder)
    return folder


def timeouts(path: Path) -> list[Timeout]:
    with tracedbg.open(path) as trace:
        return list(iter_timeouts(trace))


def check(folder: Path) -> None:
    assert verify(folder / FAILING).passed
    assert verify(folder / FIXED).passed
    ruined = [timeout for timeout in timeouts(folder / FAILING) if not timeout.is_plausible]
    assert ruined
    assert {timeout.written_with_privilege for timeout in ruined} == {SUPERVISOR}
    healthy = timeouts(folder / FIXED)
    assert healthy
    assert all(timeout.is_plausible for timeout in healthy)
    assert {timeout.written_with_privilege for timeout in healthy} == {USER}


def console(path: Path) -> str:
    with tracedbg.open(path) as trace:
        return trace.console().text


def test_the_shipped_recordings_are_small() -> None:
    assert sum((SHIPPED / name).stat().st_size for name in (FAILING, FIXED)) <= LIMIT


def test_the_shipped_recordings_are_true_and_show_who_ruined_the_timeout() -> None:
    check(SHIPPED)


def test_the_shipped_failure_names_the_function_without_symbol_files() -> None:
    ruined = next(timeout for timeout in timeouts(SHIPPED / FAILING) if not timeout.is_plausible)
    assert ruined.written_by == "trap_entry"


def test_the_shipped_consoles_end_as_the_smoke_test_did() -> None:
    assert console(SHIPPED / FAILING).rstrip().endswith("Smoke test failed: /etc/issue banner not found")
    assert console(SHIPPED / FIXED).rstrip().endswith("smoke test ok")


@pytest.mark.slow
def test_new_recordings_of_the_guest_tell_the_same(recorded: Path) -> None:
    check(recorded)
