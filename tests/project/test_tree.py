"""What the project says about itself is so: its commands exist, its files are short."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tracedbg.cli.commands import SUBCOMMANDS

ROOT = Path(__file__).parents[2]
CODE = {".py", ".c", ".h"}
LONGEST = 400


def tracked(*patterns: str) -> list[Path]:
    """Files of the project that git knows or would take."""
    command = [
        "git",
        "-C",
        str(ROOT),
        "ls-files",
        "--cached",
        "--others",
        "--exclude-standard",
        "--",
        *patterns,
    ]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    return [ROOT / name for name in names if (ROOT / name).is_file()]


def pages() -> list[str]:
    """Every page of text, as a path from the project's folder."""
    return sorted(str(path.relative_to(ROOT)) for path in tracked("*.md"))


def make_targets() -> set[str]:
    return set(re.findall(r"^\.PHONY: (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_no_file_of_code_is_longer_than_400_lines() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in tracked()
        if path.suffix in CODE
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize("page", pages())
def test_every_make_command_of_a_page_is_a_target(page: str) -> None:
    named = set(re.findall(r"^\s*(?:\$ )?make ([a-z-]+)|`make ([a-z-]+)`", (ROOT / page).read_text(), re.M))
    assert {first or second for first, second in named} <= make_targets()


@pytest.mark.parametrize("page", pages())
def test_every_subcommand_of_a_page_is_there(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(r"(?:^    (?:.*&& )?|`)tracedbg ([a-z]+)", text, re.MULTILINE)
    assert set(named) <= set(SUBCOMMANDS)


def test_readme_gives_the_two_commands_of_a_fresh_machine() -> None:
    first_screen = (ROOT / "README.md").read_text().splitlines()[:40]
    assert {"make replay", "make test"} <= {line.split("#")[0].strip() for line in first_screen}


@pytest.mark.parametrize("page", pages())
def test_every_link_of_a_page_leads_to_a_file(page: str) -> None:
    path = ROOT / page
    links = re.findall(r"\]\(([^)#\s:]+)(?:#[^)]*)?\)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


def test_every_target_is_known_to_make() -> None:
    for target in sorted(make_targets()):
        command = ["make", "-C", str(ROOT), "--dry-run", "--no-print-directory", target]
        assert subprocess.run(command, capture_output=True, check=False).returncode == 0, target


def test_ci_sets_up_then_checks_then_runs_every_test() -> None:
    lines = (ROOT / ".ci/run").read_text().splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    assert "set -euo pipefail" in lines
    assert [line for line in lines if line.startswith("make")] == ["make setup", "make static", "make test"]


def test_a_python_without_venv_stops_replay_with_the_package(tmp_path: Path) -> None:
    bare = tmp_path / "python3"
    bare.write_text(
        "#!/bin/sh\n"
        f'exec {shutil.which("python3")} -c "\n'
        "import sys, importlib.util as util\n"
        "find = util.find_spec\n"
        "util.find_spec = lambda name: None if name == 'ensurepip' else find(name)\n"
        "import runpy\n"
        "runpy.run_path('scripts/check_python.py', run_name='__main__')\n"
        '"\n'
    )
    bare.chmod(0o755)
    command = ["make", "-C", str(ROOT), "replay", f"PYTHON={bare}", f"VENV={tmp_path}/venv"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "tracedbg: this Python comes without ensurepip; " in result.stderr
    assert not (tmp_path / "venv").exists()


def test_a_machine_without_python_is_told_so(tmp_path: Path) -> None:
    command = ["make", "-C", str(ROOT), "replay", "PYTHON=python-that-is-not", f"VENV={tmp_path}/venv"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 2
    assert "tracedbg: no python-that-is-not here; install Python 3.11 or later" in result.stdout
