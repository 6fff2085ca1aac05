"""``tracedbg doctor`` says what is missing, and its exit code says whether anything is."""

import json

import pytest

from tracedbg.cli import doctor
from tracedbg.cli.main import main
from tracedbg.record.doctor import Check

GOOD = Check("QEMU", True, "10.0.2")
BAD = Check("C compiler", False, "none", "install gcc")


def found(monkeypatch: pytest.MonkeyPatch, *checks: Check) -> None:
    monkeypatch.setattr(doctor, "diagnose", lambda: list(checks))


def test_a_machine_with_everything_passes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(monkeypatch, GOOD)
    assert main(["doctor"]) == 0
    assert capsys.readouterr().out == "ok       QEMU: 10.0.2\n"


def test_what_is_missing_comes_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(monkeypatch, GOOD, BAD)
    assert main(["doctor"]) == 1
    assert capsys.readouterr().out.splitlines()[1] == "missing  C compiler: none; install gcc"


def test_a_program_gets_every_fact(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found(monkeypatch, BAD)
    assert main(["doctor", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == [
        {"name": "C compiler", "ok": False, "found": "none", "todo": "install gcc"}
    ]
