"""A guest that is not captured is left as it was found: it runs on, or stands at its first instruction."""

import socket
from dataclasses import dataclass
from pathlib import Path

import pytest

from scripts.old_qemu import is_offered, old_qemu
from tests.attach.conftest import INSTALLED, old_qemu_folder
from tests.attach.machines import machine, running
from tests.attach.test_refusals import refused
from tracedbg.cli.main import main
from tracedbg.gdb.capture.stub import Stub
from tracedbg.gdb.transport import connect, parse_address
from tracedbg.record.qmp import Qmp

pytestmark = pytest.mark.parametrize("stopped", [False, True], ids=["running", "standing"])


@dataclass(frozen=True)
class Other:
    """A machine of another architecture: its QEMU, and gdb's name of the architecture.

    ``package`` brings the QEMU that is unpacked for it; None for one that is installed.
    """

    program: str
    options: tuple[str, ...]
    architecture: str
    package: str | None = None


INSTALLED_OTHERS = (Other("qemu-system-riscv32", ("-machine", "virt", "-bios", "none"), "riscv:rv32"),)
UNPACKED_OTHERS = (
    Other("qemu-system-x86_64", ("-bios", "blank"), "i386:x86-64", "qemu-system-x86"),
    Other("qemu-system-arm", ("-machine", "virt"), "arm", "qemu-system-arm"),
    Other("qemu-system-aarch64", ("-machine", "virt", "-cpu", "cortex-a57"), "aarch64", "qemu-system-arm"),
)
OTHERS = INSTALLED_OTHERS + (UNPACKED_OTHERS if is_offered() else ())


def status(folder: Path) -> str:
    """What QEMU says that its guest does."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(str(folder / "qmp"))
    with Qmp(connection) as qmp:
        found: str = qmp.execute("query-status")["status"]
    return found


def monitored(folder: Path) -> tuple[str, str]:
    """The options with which QEMU can be asked for its status."""
    return "-qmp", f"unix:{folder}/qmp,server=on,wait=off"


def in_words(stopped: bool) -> str:
    return "prelaunch" if stopped else "running"


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other.program)
def test_a_guest_of_another_architecture(
    other: Other,
    stopped: bool,
    tmp_path: Path,
    pytestconfig: pytest.Config,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "blank").write_bytes(bytes(1 << 16))
    qemu = [other.program]
    if other.package is not None:
        qemu = old_qemu(old_qemu_folder(pytestconfig), other.program, other.package)
    options = [option.replace("blank", f"{tmp_path}/blank") for option in other.options]
    with running([*qemu, "-nodefaults", *options, *monitored(tmp_path)], tmp_path, stopped=stopped) as target:
        assert status(tmp_path) == in_words(stopped)
        said = refused(capsys, target.address, "-o", str(tmp_path / "x.bin"))
        assert said == (
            f"tracedbg: the stub's guest is {other.architecture}: only riscv:rv64 guests can be captured"
        )
        assert status(tmp_path) == in_words(stopped)
    assert not (tmp_path / "x.bin").exists()


@pytest.mark.parametrize(
    "refusal",
    [
        ("--break", "no_such_symbol", "no_such_symbol: neither an address nor a known symbol"),
        ("--until", "a0", "a0"),
        ("-o", "there", "exists already"),
        ("-o", "no/such/folder", "cannot be written"),
    ],
)
def test_what_is_refused_after_it_was_looked_at(
    refusal: tuple[str, str, str],
    stopped: bool,
    qemu: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "there").write_text("")
    name, value, problem = refusal
    chosen = [name, str(tmp_path / value) if name == "-o" else value]
    with machine(qemu, tmp_path, *monitored(tmp_path), stopped=stopped) as target:
        assert status(tmp_path) == in_words(stopped)
        assert main(["attach", target.address, "-o", str(tmp_path / "x.bin"), *chosen]) != 0
        assert problem in capsys.readouterr().err
        assert status(tmp_path) == in_words(stopped)


def test_the_next_debugger_finds_the_stub_as_it_was(
    stopped: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with machine([INSTALLED], tmp_path, *monitored(tmp_path), stopped=stopped) as target:
        with Stub(connect(parse_address(target.address))) as stub:
            before = [stub.greet(b"qSupported"), stub.ask(b"qqemu.sstep"), stub.ask(b"qqemu.PhyMemMode")]
        arguments = [target.address, "-o", str(tmp_path / "x.bin"), "--step-irqs"]
        for ending in (["--step", "3"], ["--break", "no_such_symbol"]):
            main(["attach", *arguments, *ending])
            capsys.readouterr()
            with Stub(connect(parse_address(target.address))) as stub:
                after = [stub.greet(b"qSupported"), stub.ask(b"qqemu.sstep"), stub.ask(b"qqemu.PhyMemMode")]
            assert after == before
        assert status(tmp_path) == "running"
