"""gdb sessions with a guest that runs in QEMU: what they find, and that it runs on afterwards."""

from pathlib import Path

import pytest

from tests.attach.captures import bare
from tests.attach.machines import machine
from tests.attach.test_left_as_found import monitored, status
from tracedbg.cli.main import main

pytestmark = pytest.mark.slow

COUNTING = """
    li a0, 0
again:
    addi a0, a0, 1
    j again
never:
    nop
"""


def run(qemu: list[str], folder: Path, name: str, script: str) -> tuple[int, str]:
    """The exit code of a session with the counting guest, and what the guest does when it is over."""
    kernel, path = bare(folder, COUNTING), folder / name
    path.write_text(script)
    options = ("-kernel", str(kernel), *monitored(folder))
    with machine(qemu, folder, *options, firmware="none", stopped=False) as target:
        code = main(["gdb", target.address, "--symbols", str(kernel), "-x", str(path)])
        return code, status(folder)


def test_a_session_that_holds_leaves_the_guest_running(
    qemu: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = """
def main(session):
    session.break_("*again")
    before = session.continue_(seconds=20)
    assert before.frame.function == "again"
    first = session.evaluate("$a0").value
    session.continue_(seconds=20)
    assert session.evaluate("$a0").value == first + 1
    assert session.memory("$pc", 4).data == session.memory("again", 4).data
    assert session.evaluate("again").value == session.evaluate("$pc").value
"""
    assert run(qemu, tmp_path, "holds.py", script) == (0, "running"), capfd.readouterr().err


def test_a_guest_that_does_not_stop_in_time_is_a_failure_and_runs_on(
    qemu: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    script = 'def main(session):\n    session.break_("never")\n    session.continue_(seconds=0.5)\n'
    assert run(qemu, tmp_path, "waits.py", script) == (1, "running")
    problem = "line 3: the guest did not stop within 0.5 s, and was interrupted"
    assert problem in capfd.readouterr().err


def test_a_script_of_gdbs_own_commands_leaves_the_guest_running_too(
    qemu: list[str], tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run(qemu, tmp_path, "own.gdb", "break again\ncontinue\nprint $a0 > 0\n") == (0, "running")
    assert "$1 = 1" in capfd.readouterr().out
