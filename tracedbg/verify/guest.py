"""What verify needs to know of the machine, from the trace's metadata."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.verify.messages import Flags, Malformed, Words, require

HART_LIMIT = 4096
REGISTER_LIMIT = 4096
RANGE_LIMIT = 4096
INTEGER_REGISTERS = 32


@dataclass(frozen=True)
class GuestFacts:
    """``registers`` are the names that register numbers count; ``ram`` holds (start, size) in bytes.

    ``ram`` is what is known from the first t on; nothing is in a capture.
    """

    harts: int
    registers: tuple[str, ...]
    ram: tuple[tuple[int, int], ...]
    uarts: tuple[int, ...] = ()
    """Physical addresses of their data registers."""
    is_capture: bool = False
    """Whether a debugger stub told of it: then RAM is not known from the start, nor all of the console."""

    def are_ram(self, frames: Words) -> Flags:
        """Return for each frame whether it is RAM."""
        found = np.zeros(len(frames), bool)
        for start, size in self.ram:
            first, last = start // PAGE_SIZE, (start + size) // PAGE_SIZE - 1
            found |= (frames >= np.uint64(first)) & (frames <= np.uint64(last))
        return found


def parse_guest(record: Mapping[str, Any]) -> GuestFacts:
    """Return the facts of metadata record ``guest``; raises Malformed with the field that is wrong."""
    harts = record.get("harts")
    if type(harts) is not int or not 1 <= harts <= HART_LIMIT:
        raise Malformed("the description of the guest has no number of harts")
    names = _items(record, "registers", REGISTER_LIMIT)
    is_list = len(names) >= INTEGER_REGISTERS and all(isinstance(name, str) for name in names)
    require(is_list, "the description of the guest has no list of registers")
    areas = tuple(map(_area, _items(record, "ram", RANGE_LIMIT)))
    uarts = tuple(_uarts(_items(record, "devices", RANGE_LIMIT)))
    if record.get("source") == "gdbstub":
        return GuestFacts(harts, tuple(names), (), uarts, is_capture=True)
    return GuestFacts(harts, tuple(names), areas, uarts)


def _uarts(devices: list[Any]) -> Iterator[int]:
    for device in devices:
        start, name = (device.get(key) if isinstance(device, dict) else None for key in ("start", "name"))
        if type(start) is not int or not isinstance(name, str):
            raise Malformed("the description of the guest has a device without start or name")
        if "serial" in name or "uart" in name:
            yield start


def _items(record: Mapping[str, Any], name: str, limit: int) -> list[Any]:
    value = record.get(name)
    if not isinstance(value, list) or len(value) > limit:
        raise Malformed(f"the description of the guest has no {name}")
    return value


def _area(item: Any) -> tuple[int, int]:  # noqa: ANN401 - as JSON has it
    start, size = (item.get(name) if isinstance(item, dict) else None for name in ("start", "size"))
    if type(start) is not int or type(size) is not int:
        raise Malformed("the description of the guest has RAM without start or size")
    whole = start >= 0 and size > 0 and start + size <= 1 << 64 and not (start | size) % PAGE_SIZE
    require(whole, f"the description of the guest has RAM of {size} bytes at {start}")
    return start, size
