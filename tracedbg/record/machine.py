"""What a trace says of the machine it was recorded on, from QEMU's memory map."""

import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracedbg.arch.memory_map import UART_NAMES, MemoryRange, is_uart
from tracedbg.errors import RecordError
from tracedbg.record.slots import Range

# Devices of the boards that QEMU emulates which never write guest memory by themselves.
_NO_DMA_NAMES = (
    *UART_NAMES, "clint", "mtimer", "swi", "plic", "aplic", "imsic", "rtc", "test", "gpio", "flash", "mrom",
    "fwcfg.data", "fwcfg.ctl", "prci", "otp", "pwm", "htif",
)  # fmt: skip


def ram_ranges(memory: Sequence[MemoryRange]) -> list[Range]:
    """Return where the main RAM is, ascending by physical address."""
    return [Range(area.start, area.size, area.offset) for area in memory if area.kind == "ram"]


def dma_ranges(memory: Sequence[MemoryRange]) -> list[Range]:
    """Return the devices that may write guest memory once they are told something."""
    return [
        Range(area.start, area.size, 0)
        for area in memory
        if area.kind == "device" and not any(name in area.name for name in _NO_DMA_NAMES)
    ]


def uart_starts(devices: Iterable[Mapping[str, Any]]) -> list[int]:
    """Return the addresses of UARTs' data registers from the devices of a ``guest`` record."""
    return [int(device["start"]) for device in devices if is_uart(str(device["name"]))]


def check_ram(memory: Sequence[MemoryRange]) -> None:
    """Raise RecordError when the same RAM answers at two addresses: a store must have one place."""
    ranges = sorted((area for area in memory if area.kind == "ram"), key=lambda area: area.offset)
    for first, second in itertools.pairwise(ranges):
        if first.offset + first.size > second.offset:
            raise RecordError(
                f"this machine has the same RAM at {first.start:#x} and at {second.start:#x}, so it cannot be"
                " recorded: use another -machine, such as virt"
            )


def relative_word(word: str, cwd: Path) -> str:
    """Return a word of a command line with the paths in it relative to the working folder ``cwd``."""
    if cwd == Path(cwd.anchor):
        return word
    return re.sub(rf"(?<![\w./-]){re.escape(str(cwd))}/+(?=[^/])", "", word)


@dataclass(frozen=True)
class Run:
    """What is recorded: QEMU's version, the command line as stored, and the first t."""

    qemu: str
    command: Sequence[str]
    icount: bool
    start_t: int


def describe_guest(
    memory: Sequence[MemoryRange], harts: int, registers: Sequence[str], run: Run
) -> dict[str, Any]:
    """Return the ``guest`` metadata record; ``registers`` are the names that the trace's numbers count."""
    return {
        "arch": "riscv64",
        "harts": harts,
        "registers": list(registers),
        "ram": [{"start": area.start, "size": area.size} for area in memory if area.kind == "ram"],
        "devices": [
            {"start": area.start, "size": area.size, "name": area.name}
            for area in memory
            if area.kind == "device"
        ],
        "qemu": run.qemu,
        "command": list(run.command),
        "clock": "icount" if run.icount else "realtime",
        "start_t": run.start_t,
    }
