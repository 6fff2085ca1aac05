"""What `make setup` does on machines that have, lack, or may not install the tools."""

import os
import shutil
import subprocess

import pytest

from scripts import install_tools
from scripts.tools import Tool

MISSING = Tool(("gcc", "libc6-dev"), "compiles the recorder", lambda: False)
QEMU_HERE = Tool(("qemu-system-misc",), "runs the guests", lambda: True)
QEMU_LACKING = Tool(("qemu-system-misc", "opensbi"), "runs the guests", lambda: False)


class Machine:
    """Stands for the machine: which commands it has, and what they answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *commands: str, root: bool) -> None:
        self.ran: list[list[str]] = []
        self.answers: dict[str, tuple[int, str]] = {}
        monkeypatch.setattr(os, "geteuid", lambda: 0 if root else 1000)
        monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}" if name in commands else None)
        monkeypatch.setattr(subprocess, "run", self.run)
        monkeypatch.setattr(install_tools, "TOOLS", (MISSING,))
        monkeypatch.setattr(install_tools, "QEMU_TOOL", QEMU_HERE)

    def run(self, command: list[str], **_settings: object) -> subprocess.CompletedProcess[str]:
        self.ran.append(list(command))
        words = " ".join(command)
        code, output = next((self.answers[key] for key in self.answers if key in words), (0, ""))
        return subprocess.CompletedProcess(command, code, output)


def test_with_everything_there_nothing_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "apt-get", root=True)
    monkeypatch.setattr(install_tools, "TOOLS", (QEMU_HERE,))
    assert install_tools.main() is None
    assert machine.ran == []


def test_root_installs_what_is_missing_and_looks_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(monkeypatch, "apt-get", root=True)
    problem = install_tools.main()
    assert problem == "tracedbg: still not usable after the installation: gcc libc6-dev"
    assert "  gcc libc6-dev: compiles the recorder\n" in capsys.readouterr().out
    assert [command[:3] for command in machine.ran] == [
        ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get"]
    ] * 2
    assert machine.ran[1][-4:] == ["--yes", "--no-install-recommends", "gcc", "libc6-dev"]


def test_a_system_without_apt_is_told_what_to_bring(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, root=True)
    assert install_tools.main() == (
        "tracedbg: this system has no apt-get; install by hand what brings: gcc libc6-dev"
    )


def test_without_sudo_the_command_for_root_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    Machine(monkeypatch, "apt-get", root=False)
    assert install_tools.main() == (
        "tracedbg: system packages are missing, and there is no sudo to install them with; "
        "as root: apt-get install gcc libc6-dev"
    )


def test_a_sudo_that_may_not_is_told_and_nothing_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "apt-get", "sudo", root=False)
    machine.answers["sudo"] = (1, "")
    assert install_tools.main() == (
        "tracedbg: system packages are missing, and sudo may not install them here; "
        "as root: apt-get install gcc libc6-dev"
    )
    assert len(machine.ran) == 1


def test_a_failed_download_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(monkeypatch, "apt-get", root=True)
    machine.answers["update"] = (100, "")
    assert str(install_tools.main()).startswith(
        "tracedbg: the package lists could not be fetched; the command"
    )


@pytest.fixture
def lacks_qemu(monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(monkeypatch, "apt-get", root=True)
    monkeypatch.setattr(install_tools, "TOOLS", ())
    monkeypatch.setattr(install_tools, "QEMU_TOOL", QEMU_LACKING)
    monkeypatch.setattr(install_tools, "_add_backports", lambda _prefix: False)
    return machine


def test_a_new_qemu_of_the_release_itself_is_taken_plainly(lacks_qemu: Machine) -> None:
    lacks_qemu.answers["policy"] = (0, "  Candidate: 1:10.0.8+ds-0+deb13u1\n")
    lacks_qemu.answers["madison qemu"] = (0, "a | 1 | b c d\n")
    install_tools.main()
    assert lacks_qemu.ran[-1][-2:] == ["--no-install-recommends", "qemu-system-misc"]


def test_a_new_qemu_of_another_suite_is_asked_for_by_suite(lacks_qemu: Machine) -> None:
    lacks_qemu.answers["policy"] = (0, "  Candidate: 1:7.2+dfsg-7\n")
    lacks_qemu.answers["madison"] = (
        0,
        "a | 1:10.0.2+ds-2 | mirror://a.example bookworm-backports/main amd64\n",
    )
    install_tools.main()
    assert lacks_qemu.ran[-1][-4:] == ["-t", "bookworm-backports", "qemu-system-misc", "opensbi"]


def test_sources_without_a_new_qemu_are_named_as_the_reason(lacks_qemu: Machine) -> None:
    lacks_qemu.answers["policy"] = (0, "  Candidate: 1:8.2.2+ds-0ubuntu1\n")
    lacks_qemu.answers["madison"] = (0, "a | 1:8.2.2+ds-0ubuntu1 | mirror://a.example noble/main amd64\n")
    problem = str(install_tools.main())
    assert problem.startswith(
        "tracedbg: the package sources of this system offer no QEMU 9.2 or later (here: none)"
    )
