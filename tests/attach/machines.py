"""Running guests with a gdbstub to attach to."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

FIRMWARE = "/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_dynamic.bin"
PATIENCE = 60.0
_LISTENING = "00010000"
"""The flag that /proc/net/unix has for a socket that accepts connections."""


@dataclass(frozen=True)
class Machine:
    """A QEMU that runs: its stub's address, its console so far, and its process."""

    address: str
    console: Path
    process: subprocess.Popen[bytes]

    def wait_for(self, text: str) -> None:
        """Waits until the console shows a text."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.console.read_text(errors="replace"):
            assert time.monotonic() < deadline, self.console.read_text(errors="replace")
            time.sleep(0.05)


def wait_for_socket(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Waits until QEMU listens; to connect would be to attach."""
    deadline = time.monotonic() + PATIENCE
    while not any(
        line.endswith(f" {path}") and line.split()[3] == _LISTENING
        for line in Path("/proc/net/unix").read_text().splitlines()
    ):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


@contextmanager
def machine(
    qemu: Sequence[str], folder: Path, *options: str, stopped: bool = True, firmware: str = FIRMWARE
) -> Iterator[Machine]:
    """Starts a virt machine; it stands at its first instruction unless told otherwise."""
    command = [*qemu, "-machine", "virt", "-m", "16M", "-no-reboot", "-bios", firmware, *options]
    with running(command, folder, stopped=stopped) as target:
        yield target


@contextmanager
def running(command: Sequence[str], folder: Path, *, stopped: bool) -> Iterator[Machine]:
    """Starts a QEMU with a stub."""
    folder.mkdir(exist_ok=True)
    stub, console = folder / "gdb", folder / "console"
    stub.unlink(missing_ok=True)
    console.write_text("")
    command = [
        *command, "-display", "none", "-monitor", "none", "-serial", f"file:{console}",
        "-gdb", f"unix:path={stub},server=on,wait=off", *(["-S"] if stopped else []),
    ]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        try:
            wait_for_socket(stub, process)
            yield Machine(f"unix:{stub}", console, process)
        finally:
            process.kill()


def futex_options(build: Path, harts: int = 1) -> list[str]:
    """What makes a machine run a build of traces/guests/futex_stack."""
    disk = f"file={build}/disk.img,format=raw,if=none,id=disk,readonly=on"
    return [
        "-smp", str(harts), "-kernel", str(build / "kernel.elf"), "-drive", disk,
        "-device", "virtio-blk-device,drive=disk",
    ]  # fmt: skip
