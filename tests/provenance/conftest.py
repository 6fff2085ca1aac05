"""A recorded run of tests/provenance/guest on two harts."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg
from tests.state.runs import build_guest, record
from tracedbg.cli.main import main
from tracedbg.state import Trace

GUEST = Path(__file__).parent / "guest"


def build(output: Path) -> Path:
    command = [
        "riscv64-unknown-elf-gcc", "-nostdlib", "-nostartfiles", "-static", "-march=rv64gc", "-mabi=lp64d",
        "-mcmodel=medany", "-O2", "-g", "-fno-builtin", "-fno-tree-loop-distribute-patterns",
        "-Wall", "-Wextra", "-Wl,--no-warn-rwx-segments", f"-Wl,-T,{GUEST}/guest.ld",
        f"{GUEST}/start.S", f"{GUEST}/main.c", "-o", str(output),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return output


@pytest.fixture(scope="session")
def crashed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    elf = build(tmp_path_factory.mktemp("provenance") / "guest.elf")
    path = elf.with_suffix(".bin")
    machine = ["-machine", "virt", "-smp", "2", "-m", "16", "-display", "none", "-serial", "null"]
    machine += ["-monitor", "none", "-nic", "none", "-icount", "shift=0,sleep=off", "-bios", "none"]
    command = ["qemu-system-riscv64", *machine, "-kernel", str(elf)]
    assert main(["record", "-o", str(path), "--", *command]) == 0
    with tracedbg.open(path, symbols=[elf]) as trace:
        yield trace


@pytest.fixture(scope="session")
def translated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    """A recorded run of tests/state/guest, which runs under Sv39 and loads from where nothing is mapped."""
    elf = build_guest(tmp_path_factory.mktemp("translated") / "guest.elf", "-O2", interval=30)
    with tracedbg.open(record(elf, elf.with_suffix(".bin")), symbols=[elf]) as trace:
        yield trace
