"""Making captures in tests, and small programs to make them of."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.attach.machines import Machine
from tracedbg.cli.main import main
from tracedbg.verify.verify import verify

COMPILER = "riscv64-unknown-elf-gcc"
FLAGS = "-nostdlib -nostartfiles -static -march=rv64imac_zicsr -mabi=lp64 -mcmodel=medany -Wl,--build-id=none"


def attach(target: Machine, trace: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """Captures, and returns what is printed for programs."""
    capsys.readouterr()
    assert main(["attach", target.address, "-o", str(trace), "--force", "--json", *options]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def assert_true(trace: Path) -> None:
    report = verify(trace)
    assert (report.examples, report.passed, report.is_capture) == ([], True, True)


def bare(folder: Path, source: str) -> Path:
    """A program that QEMU's reset code jumps to."""
    code, kernel = folder / "code.S", folder / "code.elf"
    code.write_text(f".globl _start\n_start:\n{source}")
    flags = f"{FLAGS} -Wl,-Ttext=0x80000000"
    subprocess.run([COMPILER, *flags.split(), str(code), "-o", str(kernel)], check=True)
    return kernel
