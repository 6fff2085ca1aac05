"""The same deterministic run twice: recorded, and live under a plain QEMU with its gdbstub."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tracedbg
from tests.attach.machines import wait_for_socket
from tests.state.rsp import RspClient
from tracedbg.cli.main import main
from tracedbg.state import Trace

GUEST = Path(__file__).parent / "guest"
UBOOT = Path("/usr/lib/u-boot/qemu-riscv64_smode/uboot.elf")

BEFORE_CLOCK = "25000000"
"""U-Boot first reads the clock after more instructions. A live QEMU's clock jumps when gdb resumes it: while
the machine runs already and its vCPU not yet, it passes for idle, and time warps to the next timer (10.0.2).
"""


def qemu(kernel: Path) -> list[str]:
    """A machine whose every run is the same: no input, time by instructions, fixed seed and date."""
    return [
        "qemu-system-riscv64", "-machine", "virt", "-m", "64", "-display", "none", "-serial", "null",
        "-monitor", "none", "-nic", "none", "-icount", "shift=0,sleep=off", "-seed", "1", "-no-reboot",
        "-rtc", "base=2024-01-01,clock=vm", "-kernel", str(kernel),
    ]  # fmt: skip


def record(kernel: Path, output: Path, *options: str) -> Path:
    """Record a run with a subprocess that has its own standard input."""
    assert main(["record", "-o", str(output), *options, "--", *qemu(kernel)]) == 0
    return output


@contextmanager
def recorded_uboot(folder: Path) -> Iterator[Trace]:
    """Record U-Boot as far as every run is the same, and open the trace."""
    with tracedbg.open(record(UBOOT, folder / "uboot.bin", "--stop-at", BEFORE_CLOCK)) as trace:
        yield trace


@contextmanager
def live(machine: list[str], folder: Path) -> Iterator[Path]:
    """Start a machine stopped at its first instruction; yields the path of the gdbstub's socket."""
    path = folder / "gdb"
    command = [*machine, "-S", "-gdb", f"unix:path={path},server=on,wait=off"]
    nothing = subprocess.DEVNULL
    with subprocess.Popen(command, cwd=folder, stdin=nothing, stdout=nothing, stderr=nothing) as process:
        try:
            wait_for_socket(path, process)
            yield path
        finally:
            process.kill()


@contextmanager
def live_client(kernel: Path, folder: Path) -> Iterator[RspClient]:
    """The same, with a client that is connected."""
    with live(qemu(kernel), folder) as path, RspClient(path) as client:
        yield client


def build_guest(output: Path, *options: str, interval: int = 0) -> Path:
    """Compile and link tests/state/guest; with an interval (in ticks of 100 ns) timer interrupts come."""
    command = [
        "riscv64-unknown-elf-gcc", "-nostdlib", "-nostartfiles", "-static", "-march=rv64gc", "-mabi=lp64d",
        "-mcmodel=medany", "-g", f"-DINTERVAL={interval}", "-DROUNDS=60", "-Wl,--no-warn-rwx-segments",
        "-Wl,--build-id", f"-Wl,-T,{GUEST}/guest.ld", *options, f"{GUEST}/start.S", f"{GUEST}/main.c",
        "-o", str(output),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return output
