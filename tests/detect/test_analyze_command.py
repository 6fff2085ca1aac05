"""``tracedbg analyze`` and ``tracedbg plugins``: what they print, to whom, and how they end."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.session.program import run_program, write_program
from tracedbg.cli.main import main
from tracedbg.detect.plugins import find_plugins

ROOT = Path(__file__).parents[2]
FAILING = ROOT / "traces" / "stack_futex.bin"
EXAMPLE = Path(__file__).parent / "example_plugin"
Output = pytest.CaptureFixture[str]

TOP = {"version": int, "clean": bool, "findings": list, "checks": list, "failures": list}
FINDING = {
    "detector": str, "severity": str, "certainty": str, "title": str, "why": str, "story": str, "t": int,
    "physical_address": str, "virtual_addresses": list, "owner": dict, "stack": dict, "writer": dict,
    "victim": dict, "consumers": list, "chain": list, "related": list,
}  # fmt: skip
STACK = {"name": str, "base": str, "base_source": str, "top": str, "lowest_sp": str, "task": str}
CODE = {"pc": str, "symbol": str, "file": str, "line": int}
WRITER = {"t": int, "hart": int, **CODE, "sp": str, "backtrace": list}
VICTIM = {"physical_address": str, "size": int, "before": str, "after": str, "name": str}
EVIDENCE = {
    "t": int, "role": str, "text": str, "hart": int, **CODE, "physical_address": str, "virtual_address": str,
    "size": int, "before": str, "after": str,
}  # fmt: skip


def assert_is(found: dict[str, Any], fields: Mapping[str, type]) -> None:
    """Hold an object against its fields; each may be null as well."""
    assert set(found) == set(fields)
    for name, kind in fields.items():
        assert found[name] is None or isinstance(found[name], kind), name


@pytest.fixture(scope="module")
def program_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "program.bin"
    write_program(run_program(), path)
    return path


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    command = [sys.executable, "-m", "tracedbg", "analyze", str(FAILING), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_the_json_has_the_documented_structure(document: dict[str, Any]) -> None:
    assert_is(document, TOP)
    assert document["version"] == 1
    assert document["clean"] is False
    for finding in (*document["findings"], *document["findings"][0]["related"]):
        assert_is(finding, FINDING)
        assert_is(finding["owner"], {"kind": str, "text": str})
        assert_is(finding["stack"], STACK)
        assert_is(finding["writer"], WRITER)
        assert_is(finding["victim"], VICTIM)
        for place in finding["virtual_addresses"]:
            assert_is(place, {"address": str, "root": str})
        for code in finding["writer"]["backtrace"]:
            assert_is(code, CODE)
        for evidence in (*finding["chain"], *finding["consumers"]):
            assert_is(evidence, EVIDENCE)
    for check in document["checks"]:
        assert_is(check, {"detector": str, "text": str, "done": bool})


def test_the_schema_is_documented_field_by_field() -> None:
    page = (ROOT / "docs" / "findings.md").read_text()
    for fields in (TOP, FINDING, STACK, CODE, WRITER, VICTIM, EVIDENCE):
        assert [name for name in fields if f"`{name}`" not in page] == []


def test_one_detector_alone_is_run(capsys: Output) -> None:
    assert main(["analyze", str(FAILING), "--detector", "return-address", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {check["detector"] for check in found["checks"]} == {"return-address"}
    assert found["findings"] == []


def test_an_unknown_detector_is_wrong_usage(capsys: Output) -> None:
    assert main(["analyze", str(FAILING), "--detector", "weather"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("tracedbg: there is no detector weather; installed are ")


@pytest.mark.parametrize("content", [b"", b"no trace at all"])
def test_what_is_no_trace_cannot_be_analysed(content: bytes, tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    assert main(["analyze", str(path)]) == 3
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"tracedbg: {path}")
    assert shown.err.count("\n") == 1


def test_a_missing_file_cannot_be_analysed(tmp_path: Path, capsys: Output) -> None:
    code = main(["analyze", str(tmp_path / "none.bin")])
    assert code in {2, 3}
    assert capsys.readouterr().err.count("\n") == 1


def test_nothing_but_the_report_is_printed_away_from_a_terminal(program_path: Path) -> None:
    command = [sys.executable, "-m", "tracedbg", "analyze", str(program_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.stderr == ""
    assert "Checked:" in result.stdout
    assert "\x1b" not in result.stdout


def test_progress_is_shown_on_a_terminal_and_wiped() -> None:
    command = [sys.executable, "-m", "tracedbg", "analyze", str(FAILING), "--detector", "return-address"]
    reader, terminal = pty.openpty()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=terminal, check=True)
    os.close(terminal)
    drawn = b""
    # What was written comes in pieces, and after the last one an error: nobody has the other end.
    with suppress(OSError):
        while piece := os.read(reader, 65536):
            drawn += piece
    os.close(reader)
    assert re.search(rb"\r\x1b\[K *\d+% of 14,\d{3},\d{3} instructions", drawn)
    assert drawn.endswith(b"\r\x1b[K")


def test_plugins_are_listed_with_what_they_need(capsys: Output) -> None:
    assert main(["plugins", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    own = [row["name"] for row in rows if row["package"] == "tracedbg"]
    assert set(own) == {
        "stack-underflow", "live-frame-overwrite", "return-address", "futex-timespec", "guard-page",
        "fatal-trap",
    }  # fmt: skip
    assert all(row["finds"] and row["needs"] for row in rows)


def test_every_own_detector_has_its_section_in_the_docs() -> None:
    page = (ROOT / "docs" / "detectors.md").read_text()
    for plugin in find_plugins():
        if plugin.is_own:
            assert f"### {plugin.name}\n" in page


@pytest.fixture(scope="module")
def with_example(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which the example package is installed."""
    folder = tmp_path_factory.mktemp("example")
    shutil.copytree(EXAMPLE, folder / "source")
    command = [
        sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation", "--no-index",
        "--target", str(folder / "packages"), str(folder / "source"),
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": f"{folder / 'packages'}{os.pathsep}{ROOT}"}


@pytest.mark.slow
def test_a_package_of_somebody_elses_is_listed(with_example: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tracedbg", "plugins", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=True, env=with_example)
    [row] = [row for row in json.loads(result.stdout) if row["package"] != "tracedbg"]
    assert row == {
        "name": "console-complaint",
        "package": "tracedbg-console-complaint",
        "finds": "the guest complained on its console",
        "needs": "a console",
    }


@pytest.mark.slow
def test_a_package_of_somebody_elses_is_run_with_the_others(with_example: dict[str, str]) -> None:
    command = [sys.executable, "-m", "tracedbg", "analyze", str(FAILING), "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=with_example)
    found = json.loads(result.stdout)
    assert (result.returncode, result.stderr, found["failures"]) == (1, "", [])
    assert [(finding["title"], finding["t"]) for finding in found["findings"][1:]] == [
        ("the guest says “getty: futex: error 22”", 14_704_067),
        ("the guest says “Smoke test failed: /etc/issue banner not found”", 14_794_771),
    ]
    assert found["findings"][0]["detector"] == "stack-underflow"


def test_the_tutorial_is_the_example_package() -> None:
    page = (ROOT / "docs" / "detectors.md").read_text()
    for name, language in (("console_complaint.py", "python"), ("pyproject.toml", "toml")):
        assert f"```{language}\n{(EXAMPLE / name).read_text()}```" in page


def test_the_readme_shows_what_analyze_prints(capsys: Output) -> None:
    assert main(["analyze", str(FAILING)]) == 1
    report = capsys.readouterr().out
    page = (ROOT / "README.md").read_text()
    shown = page.partition("    $ tracedbg analyze traces/stack_futex.bin\n")[2].partition("    ...\n")[0]
    lines = [line.removeprefix("    ") for line in shown.rstrip().splitlines()]
    assert lines == report.splitlines()[: len(lines)]
    assert len(lines) > 20
