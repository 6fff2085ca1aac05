"""``tracedbg serve`` and ``tracedbg gdb``: what they print, and how they end."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.gdb.client import Client
from tests.gdb.conftest import SHIPPED, served
from tracedbg.cli.main import main
from tracedbg.gdb.transport import Listener, Tcp, TransportError, Unix, connect, parse_address
from tracedbg.state import Trace

TRACES = SHIPPED.parent

HOLDS = """
def main(session):
    session.goto("sys_futex")
    assert session.evaluate("1 + 1").value == 2
"""
FAILS = """
def main(session):
    session.goto("sys_futex")
    two = session.evaluate("1 + 1").value

    assert two == 3, "arithmetic"
"""


@contextmanager
def serving(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The server as a process, and the address that it prints."""
    command = [sys.executable, "-m", "tracedbg", "serve", str(SHIPPED), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().removeprefix("listening on ").strip()
        finally:
            if process.poll() is None:
                process.kill()


def test_serve_prints_its_address_serves_and_ends_with_ctrl_c() -> None:
    with serving("--listen", "127.0.0.1:0", "--at", "start") as (process, address):
        assert parse_address(address).is_loopback
        for _ in range(2):
            with Client(parse_address(address)) as client:
                assert client.ask("?").startswith("T05")
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert errors == "only this machine can connect; Ctrl-C ends the server\n"


def test_serve_once_ends_with_its_first_client(tmp_path: Path) -> None:
    with serving("--listen", f"unix:{tmp_path}/gdb", "--once") as (process, address):
        # As `tracedbg gdb HOST:PORT` does, to say so before gdb starts when nobody listens.
        connect(parse_address(address)).close()
        with Client(parse_address(address)) as client:
            assert client.ask("D") == "OK"
        assert process.wait(20) == 0
    assert not (tmp_path / "gdb").exists()


def test_serve_warns_when_others_can_connect() -> None:
    with serving("--listen", "0.0.0.0:0") as (process, _):
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert errors.startswith("warning: whoever reaches this address can read all of the trace")


@pytest.mark.parametrize(
    ("listen", "problem"),
    [
        ("nowhere", "nowhere: no address; write HOST:PORT (a port is 0 to 65535) or unix:PATH"),
        (
            "127.0.0.1:99999",
            "127.0.0.1:99999: no address; write HOST:PORT (a port is 0 to 65535) or unix:PATH",
        ),
        ("unix:", "unix:: no path; write unix:PATH"),
    ],
)
def test_an_address_that_is_none(listen: str, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(SHIPPED), "--listen", listen]) == 2
    assert capsys.readouterr().err == f"tracedbg: {problem}\n"


def test_a_port_in_use_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with Listener(Tcp("127.0.0.1", 0)) as taken:
        assert main(["serve", str(SHIPPED), "--listen", str(taken.address)]) == 1
    expected = (
        f"tracedbg: {taken.address}: cannot listen: Address already in use; choose another with --listen\n"
    )
    assert capsys.readouterr().err == expected


def test_a_host_that_is_not_ours_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(SHIPPED), "--listen", "192.0.2.1:1234"]) == 1
    assert "192.0.2.1:1234: cannot listen: " in capsys.readouterr().err


def test_a_socket_left_behind_is_replaced_and_one_in_use_or_another_file_is_not(tmp_path: Path) -> None:
    path = tmp_path / "gdb"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with Listener(Unix(path)), pytest.raises(TransportError, match="Address already in use"):
        Listener(Unix(path))
    path.write_text("precious")
    with pytest.raises(TransportError, match="Address already in use"):
        Listener(Unix(path))
    assert path.read_text() == "precious"


def test_a_position_that_is_none_and_a_trace_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", str(SHIPPED), "--at", "nothing_here"]) == 2
    assert "nothing_here: neither a position nor a known symbol" in capsys.readouterr().err
    assert main(["serve", str(TRACES / "README.md")]) == 1
    assert "README.md" in capsys.readouterr().err


def test_without_gdb_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    assert main(["gdb", str(SHIPPED)]) == 1
    assert capsys.readouterr().err.startswith(
        "tracedbg: no gdb is installed; install gdb-multiarch (Debian, Ubuntu: apt-get install gdb-multiarch"
    )
    assert main(["gdb", str(SHIPPED), "--gdb", "gdb-of-mine"]) == 1
    assert "gdb-of-mine: no such program" in capsys.readouterr().err


@pytest.mark.parametrize(
    "body", ["echo 'Undefined item: \"riscv:rv64\".' >&2\nexit 1", "exit 0"], ids=["another", "no gdb"]
)
def test_a_gdb_that_does_not_know_the_architecture_is_passed_over(
    body: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "gdb"
    other.write_text(f"#!/bin/sh\n{body}\n")
    other.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["gdb", str(SHIPPED)]) == 1
    assert f"{other} does not know riscv:rv64; install gdb-multiarch" in capsys.readouterr().err


def test_a_script_of_another_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "look.txt").touch()
    (tmp_path / "look.gdb").touch()
    assert main(["gdb", str(SHIPPED), "-x", str(tmp_path / "look.txt")]) == 2
    assert "a script's name ends in .gdb or .py" in capsys.readouterr().err
    assert main(["gdb", str(SHIPPED), "-x", str(tmp_path / "look.gdb"), "--json"]) == 2
    assert "--json is for .py scripts; what gdb itself prints is text" in capsys.readouterr().err


def test_a_refused_connection_is_said_before_gdb_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with Listener(Tcp("127.0.0.1", 0)) as listener:
        address = str(listener.address)
    assert main(["gdb", address, "--gdb", sys.executable]) == 1
    expected = f"tracedbg: {address}: cannot connect: Connection refused; is a gdbstub listening there?\n"
    assert capsys.readouterr().err == expected


@pytest.mark.slow
@pytest.mark.parametrize("ending", ["gdb", "py"])
def test_the_shipped_sessions_end_at_the_guilty_store(ending: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["gdb", str(SHIPPED), "-x", str(TRACES / f"stack_futex.{ending}")]) == 0
    shown = capfd.readouterr().out
    assert "trap_entry" in shown
    assert "trap.S:27" in shown


@pytest.mark.slow
def test_the_shipped_sessions_fail_on_the_repaired_guest(capfd: pytest.CaptureFixture[str]) -> None:
    fixed = str(TRACES / "stack_futex_fixed.bin")
    assert main(["gdb", fixed, "-x", str(TRACES / "stack_futex.gdb")]) == 1
    assert "not as expected: the timeout is a good one" in capfd.readouterr().out
    assert main(["gdb", fixed, "-x", str(TRACES / "stack_futex.py")]) == 1
    assert "not as expected: not 0 <= nanoseconds < NANOSECONDS" in capfd.readouterr().err


@pytest.mark.slow
def test_a_script_that_holds_prints_its_steps_or_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "holds.py"
    script.write_text(HOLDS)
    assert main(["gdb", str(SHIPPED), "-x", str(script)]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.startswith("  1  goto('sys_futex')  t 13374173 on hart 0: goto at 80201d3a sys_futex")
    assert second == "  2  evaluate('1 + 1')  (int) 1 + 1 = 2"
    assert main(["gdb", str(SHIPPED), "-x", str(script), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["passed"]
    assert [step["line"] for step in found["steps"]] == [3, 4]
    assert found["steps"][1]["result"]["value"] == 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            FAILS,
            'line 6: not as expected: two == 3, "arithmetic": arithmetic (after line 4, step 2: evaluate(',
        ),
        (
            HOLDS.replace("sys_futex", "sys_nothing"),
            "line 3: sys_nothing: neither a position nor a known symbol",
        ),
        (HOLDS.replace("1 + 1", "nothing"), 'line 4: No symbol "nothing" in current context.'),
        ("def main(session):\n    1 / 0\n", "line 2: ZeroDivisionError: division by zero"),
    ],
)
def test_a_script_that_fails_says_line_and_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    script = tmp_path / "fails.py"
    script.write_text(text)
    assert main(["gdb", str(SHIPPED), "-x", str(script)]) == 1
    assert f"{script}: {problem}" in capsys.readouterr().err
    assert main(["gdb", str(SHIPPED), "-x", str(script), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert not found["passed"]
    assert found["failure"]["line"] is not None


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("def main(session:\n", "1: not Python"),
        ("session = 1\n", "no function main(session), where a session begins"),
    ],
)
def test_a_file_that_is_no_session(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    script = tmp_path / "none.py"
    script.write_text(text)
    assert main(["gdb", str(SHIPPED), "-x", str(script)]) == 2
    assert problem in capsys.readouterr().err


@pytest.mark.slow
def test_a_gdb_script_that_fails_has_gdbs_line_and_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "fails.gdb"
    script.write_text("goto sys_futex\n\nprint nothing\n")
    assert main(["gdb", str(SHIPPED), "-x", str(script)]) == 1
    errors = capfd.readouterr().err
    assert f"{script}:3: Error in sourced command file:" in errors
    assert 'No symbol "nothing" in current context.' in errors


@pytest.mark.slow
def test_the_session_in_the_document_holds(tmp_path: Path) -> None:
    document = (TRACES.parent / "docs" / "gdb.md").read_text()
    (tmp_path / "example.py").write_text(document.partition("```python\n")[2].partition("```")[0])
    assert main(["gdb", str(SHIPPED), "-x", str(tmp_path / "example.py")]) == 0


@pytest.mark.slow
def test_a_server_elsewhere_is_a_target_as_well(
    shipped: Trace, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = tmp_path / "holds.py"
    script.write_text(HOLDS)
    with served(shipped, shipped.start, Tcp("127.0.0.1", 0)) as address:
        assert main(["gdb", str(address), "-x", str(script)]) == 0
    assert "goto('sys_futex')  t 13374173" in capfd.readouterr().out


@pytest.mark.slow
def test_a_server_that_is_no_gdbstub_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "session.py"
    script.write_text("def main(session):\n    pass\n")
    with socket.create_server(("127.0.0.1", 0)) as other:

        def hang_up() -> None:
            for _ in range(2):
                other.accept()[0].close()

        thread = threading.Thread(target=hang_up)
        thread.start()
        host, port = other.getsockname()
        assert main(["gdb", f"{host}:{port}", "-x", str(script)]) == 1
        thread.join()
    problem = capsys.readouterr().err
    assert f"target remote {host}:{port}: " in problem
    assert "is a gdbstub listening there?" in problem


@pytest.mark.slow
def test_gdb_gets_the_terminal(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tracedbg", "gdb", str(SHIPPED)]
    lines = "goto sys_futex\nbacktrace 1\nlist sys_futex.c:46,47\nreverse-stepi\nquit\n"
    run = subprocess.run(
        command,
        input=lines,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=tmp_path,
        env=os.environ,
    )
    assert "warning" not in run.stderr
    assert "#0  sys_futex (args=0x80509f28)" in run.stdout
    assert "int64_t sys_futex(const uint64_t *args)" in run.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGTERM])
def test_a_signal_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "tracedbg", "gdb", str(SHIPPED)]
    with subprocess.Popen(
        words,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write("goto sys_futex\n")
            process.stdin.flush()
            assert any("t 13374173" in line for line in process.stdout)
            assert list(tmp_path.iterdir()) != []
            process.send_signal(number)
            # gdb has gone, too, when nobody holds the other end any more.
            process.stdout.read()
            assert process.wait(timeout=20) == 128 + number
        finally:
            process.kill()
    assert list(tmp_path.iterdir()) == []
