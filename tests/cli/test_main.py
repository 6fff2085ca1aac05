"""The command line as a whole: what loads, what is printed where, and how it ends."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tracedbg import __version__
from tracedbg.cli.commands import SUBCOMMANDS
from tracedbg.cli.main import main
from tracedbg.cli.main import tracedbg as root
from tracedbg.cli.subcommand import keep_layout
from tracedbg.errors import PositionError, TraceFormatError

HEAVY = ("numpy", "textual", "mcap", "zstandard", "capstone", "elftools", "pygdbmi")
NOT_SUBCOMMANDS = {"__init__", "main", "commands", "subcommand", "output", "progress", "opened"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tracedbg", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, env={**os.environ, **environment}
    )


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> "type[Failing]":
    monkeypatch.setattr(root, "get_command", lambda _context, _name: Failing.command)
    return Failing


class Failing:
    """A subcommand that raises what a test says."""

    error: BaseException

    @staticmethod
    @click.command()
    def command() -> None:
        raise Failing.error


def test_help_loads_neither_numpy_nor_textual() -> None:
    probe = (
        "import sys\n"
        "from tracedbg.cli.main import main\n"
        "code = main(['--help'])\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], code)\n"
    )
    result = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[] 0"


def test_help_names_every_subcommand_with_its_line() -> None:
    words = " ".join(run("--help").stdout.split())
    for name, line in SUBCOMMANDS.items():
        assert f"{name} {line}" in words


@pytest.mark.parametrize("name", SUBCOMMANDS)
def test_a_subcommand_says_in_its_help_what_the_table_says(name: str) -> None:
    module = importlib.import_module(f"tracedbg.cli.{name}")
    assert module.__doc__ is not None
    assert module.__doc__.split("\n\n")[0].replace("\n", " ").strip() == SUBCOMMANDS[name]
    assert f"    tracedbg {name}" in module.__doc__, "an example is missing"
    assert module.command.help == keep_layout(module.__doc__)


def test_every_subcommand_file_is_in_the_table() -> None:
    folder = Path(importlib.import_module("tracedbg.cli").__path__[0])
    files = {path.stem for path in folder.glob("*.py") if "@subcommand(" in path.read_text()}
    assert files - NOT_SUBCOMMANDS == set(SUBCOMMANDS)


def test_version_is_the_package_version() -> None:
    result = run("--version")
    assert (result.stdout, result.returncode) == (f"tracedbg {__version__}\n", 0)


def test_no_arguments_print_the_help_on_standard_error() -> None:
    result = run()
    assert result.stdout == ""
    assert result.stderr.startswith("Usage: tracedbg ")
    assert result.returncode == 2


def test_an_unknown_subcommand_is_wrong_usage() -> None:
    result = run("reccord")
    assert result.stdout == ""
    assert result.stderr.startswith("tracedbg: No such command 'reccord'")
    assert result.stderr.endswith("(see tracedbg --help)\n")
    assert result.stderr.count("\n") == 1
    assert result.returncode == 2


@pytest.mark.parametrize(
    ("error", "message", "code"),
    [
        (TraceFormatError("a.bin", 8, "no header"), "tracedbg: a.bin: byte 8: no header\n", 1),
        (PositionError("there is no\nposition 12"), "tracedbg: there is no position 12\n", 2),
        (FileNotFoundError(2, "No such file", "a.bin"), "tracedbg: a.bin: No such file\n", 1),
        (OSError("no space"), "tracedbg: no space\n", 1),
    ],
)
def test_an_error_is_one_line_and_an_exit_code(
    failing: type[Failing],
    capsys: pytest.CaptureFixture[str],
    error: Exception,
    message: str,
    code: int,
) -> None:
    failing.error = error
    assert main(["any"]) == code
    assert capsys.readouterr() == ("", message)


def test_interrupting_ends_quietly_with_130(
    failing: type[Failing], capsys: pytest.CaptureFixture[str]
) -> None:
    failing.error = KeyboardInterrupt()
    assert main(["any"]) == 130
    assert "Traceback" not in capsys.readouterr().err


def test_a_bug_is_told_in_one_line(failing: type[Failing], capsys: pytest.CaptureFixture[str]) -> None:
    failing.error = ZeroDivisionError("by nought")
    assert main(["any"]) == 70
    told = capsys.readouterr().err
    assert told.startswith(
        "tracedbg: this is a bug in tracedbg: ZeroDivisionError: by nought; please report it"
    )
    assert told.count("\n") == 1


def test_a_bug_shows_its_traceback_when_asked(
    failing: type[Failing], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRACEDBG_DEBUG", "1")
    failing.error = ZeroDivisionError("by nought")
    assert main(["any"]) == 70
    assert "Traceback (most recent call last)" in capsys.readouterr().err


@pytest.mark.parametrize("buffered", ["", "1"])
def test_a_reader_that_has_gone_is_no_error_to_tell(buffered: str) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    result = subprocess.run(
        [sys.executable, "-m", "tracedbg", "--help"],
        stdout=write_end,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONUNBUFFERED": buffered},
        check=False,
    )
    os.close(write_end)
    assert (result.stderr, result.returncode) == (b"", 1)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_for_the_shell(shell: str) -> None:
    result = run("completion", shell)
    assert f"_TRACEDBG_COMPLETE={shell}_complete" in result.stdout
    assert (result.stderr, result.returncode) == ("", 0)


def test_completing_a_subcommand_loads_none() -> None:
    result = run(COMP_WORDS="tracedbg do", COMP_CWORD="1", _TRACEDBG_COMPLETE="bash_complete")
    assert result.stdout == "plain,doctor\n"
    assert json.dumps(result.stderr) == '""'


@pytest.mark.slow
def test_bash_completes_a_subcommand_by_the_script(tmp_path: Path) -> None:
    command = tmp_path / "tracedbg"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m tracedbg "$@"\n')
    command.chmod(0o755)
    asked = (
        'eval "$(tracedbg completion bash)"; COMP_WORDS=(tracedbg comp); COMP_CWORD=1; '
        '_tracedbg_completion tracedbg comp tracedbg; echo "${COMPREPLY[@]}"'
    )
    path = f"{tmp_path}:{os.environ['PATH']}"
    result = subprocess.run(
        ["bash", "-c", asked], capture_output=True, text=True, check=True, env={**os.environ, "PATH": path}
    )
    assert result.stdout == "completion\n"
