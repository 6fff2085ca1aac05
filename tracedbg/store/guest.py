"""The machine that was recorded and how the recording ended, from the trace's metadata."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import PhysicalAddress, RegisterId, Time

HART_LIMIT = 4096
REGISTER_LIMIT = 4096
RANGE_LIMIT = 4096
INTEGER_REGISTERS = 32
CLOCKS = ("realtime", "icount", "unknown")
RECORDER = "recorder"
GDBSTUB = "gdbstub"
SOURCES = (RECORDER, GDBSTUB)


@dataclass(frozen=True)
class MemoryRange:
    """Bytes of physical memory from ``start``; ``end`` is the first address after them."""

    start: PhysicalAddress
    size: int

    @property
    def end(self) -> PhysicalAddress:
        """First address after the range."""
        return PhysicalAddress(self.start + self.size)


@dataclass(frozen=True)
class Device:
    """A range of physical addresses where a device answers."""

    start: PhysicalAddress
    size: int
    name: str


@dataclass(frozen=True)
class Guest:
    """The machine: ``registers`` are the names that RegisterId counts, the first 32 x0 to x31 by ABI name."""

    arch: str
    harts: int
    registers: tuple[str, ...]
    ram: tuple[MemoryRange, ...]
    devices: tuple[Device, ...]
    qemu: str
    command: tuple[str, ...]
    clock: str
    start_t: Time
    source: str = RECORDER
    """What saw it run: the recorder saw all, a gdbstub only stops and steps."""

    @property
    def is_capture(self) -> bool:
        """Whether the trace has gaps, and knows of memory only what was read."""
        return self.source == GDBSTUB

    def find_register(self, name: str) -> RegisterId | None:
        """Return the number of a register, or None when the trace does not have it."""
        return RegisterId(self.registers.index(name)) if name in self.registers else None

    def is_ram(self, address: PhysicalAddress) -> bool:
        """Say whether RAM answers at an address."""
        return any(area.start <= address < area.end for area in self.ram)


@dataclass(frozen=True)
class Ending:
    """How a recording ended; ``notes`` are sentences for the person who opens it."""

    how: str
    exit_code: int | None
    instructions: int
    notes: tuple[str, ...]


class GuestError(ValueError):
    """A metadata record does not say what it should; ``str()`` names the field."""


def parse_guest(record: Mapping[str, Any]) -> Guest:
    """Return the guest of metadata record ``guest``; raises GuestError with the field that is wrong."""
    fields = Fields(record)
    guest = Guest(
        arch=fields.text("arch"),
        harts=fields.number("harts"),
        registers=tuple(fields.texts("registers")),
        ram=tuple(fields.ranges("ram", lambda start, size, _: MemoryRange(start, size))),
        devices=tuple(fields.ranges("devices", _device)),
        qemu=fields.text("qemu"),
        command=tuple(fields.texts("command")),
        clock=fields.text("clock"),
        start_t=Time(fields.number("start_t")),
        source=fields.text("source") if "source" in record else RECORDER,
    )
    _check(guest)
    return guest


def parse_ending(record: Mapping[str, Any]) -> Ending:
    """Return the ending of metadata record ``ending``; raises GuestError with the field that is wrong."""
    fields = Fields(record)
    code = record.get("exit_code")
    if code is not None and type(code) is not int:
        raise GuestError("exit_code is not a number")
    return Ending(fields.text("how"), code, fields.number("instructions"), tuple(fields.texts("notes")))


def _device(start: PhysicalAddress, size: int, item: "Fields") -> Device:
    return Device(start, size, item.text("name"))


def _check(guest: Guest) -> None:
    if guest.arch != "riscv64":
        raise GuestError(f"arch is {guest.arch[:40]!r}, which this tracedbg does not know")
    if not 1 <= guest.harts <= HART_LIMIT:
        raise GuestError(f"harts is {guest.harts}")
    if not INTEGER_REGISTERS <= len(guest.registers) <= REGISTER_LIMIT:
        raise GuestError(f"registers has {len(guest.registers)} names")
    if guest.clock not in CLOCKS:
        raise GuestError(f"clock is {guest.clock[:40]!r}")
    if guest.source not in SOURCES:
        raise GuestError(f"source is {guest.source[:40]!r}, which this tracedbg does not know")
    if any(area.start % PAGE_SIZE or area.size % PAGE_SIZE for area in guest.ram):
        raise GuestError("ram does not consist of whole pages")


Made = TypeVar("Made")


class Fields:
    """Typed access to a JSON object's fields."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        self._record = record

    def text(self, name: str) -> str:
        value = self._record.get(name)
        if not isinstance(value, str):
            raise GuestError(f"{name} is not a text")
        return value

    def number(self, name: str) -> int:
        value = self._record.get(name)
        if type(value) is not int or not 0 <= value < 1 << 64:
            raise GuestError(f"{name} is not a number of 64 bits")
        return value

    def items(self, name: str) -> Sequence[Any]:
        value = self._record.get(name)
        if not isinstance(value, list) or len(value) > RANGE_LIMIT:
            raise GuestError(f"{name} is not a list of at most {RANGE_LIMIT} items")
        return value

    def texts(self, name: str) -> Iterator[str]:
        for value in self.items(name):
            if not isinstance(value, str):
                raise GuestError(f"{name} holds something that is not a text")
            yield value

    def ranges(self, name: str, make: "Callable[[PhysicalAddress, int, Fields], Made]") -> Iterator[Made]:
        for value in self.items(name):
            if not isinstance(value, dict):
                raise GuestError(f"{name} holds something that is not an object")
            item = Fields(value)
            start, size = item.number("start"), item.number("size")
            if not size or start + size > 1 << 64:
                raise GuestError(f"{name} holds a range of {size} bytes at {start:#x}")
            yield make(PhysicalAddress(start), size, item)
