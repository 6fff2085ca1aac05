"""A guest that stands still behind a stub: its harts, their registers, memory and address spaces."""

import re
from collections.abc import Mapping
from typing import Any

from tracedbg.arch import AddressSpace, Architecture, Use, Walk, architecture
from tracedbg.arch.memory_map import MemoryRange, parse_memory_map
from tracedbg.gdb.capture.memory import KnownMemory, PhysicalReader
from tracedbg.gdb.capture.printing import Printing
from tracedbg.gdb.capture.registers import HartState, RegisterReader, read_numbers
from tracedbg.gdb.capture.stub import StopReply, Stub, StubError
from tracedbg.ids import PhysicalAddress, VirtualAddress

ARCH = "riscv64"
HART_LIMIT = 4096
ENABLE, NO_INTERRUPTS, NO_TIMERS = 1, 2, 4
_SUPPORTED = b"qSupported:multiprocess+;swbreak+;hwbreak+;vContSupported+"


class LiveGuest:
    """What can be asked of the guest while it stands still; ``harts`` are as last looked at."""

    def __init__(self, stub: Stub) -> None:
        self.stub = stub
        if b"vContSupported+" not in stub.greet(_SUPPORTED).split(b";"):
            raise StubError("what answers is no gdbstub of QEMU: it does not offer vCont")
        self.arch: Architecture = architecture(ARCH)
        numbers = read_numbers(stub, self.arch)
        self.threads = _threads(stub)
        self.registers = RegisterReader(stub, numbers, len(self.arch.registers))
        self.areas = _areas(stub)
        self.physical = PhysicalReader(stub)
        self.memory = KnownMemory(self.physical.page, self.areas)
        self.printing = Printing(self.areas, self.physical.byte)
        self.harts: list[HartState] = []
        self.look()

    def look(self) -> None:
        """Read the registers of all harts."""
        self.harts = [self.registers.read(thread) for thread in self.threads]

    def forget(self) -> None:
        """The guest runs unseen: nothing is known any more but registers."""
        self.memory.forget()
        self.printing.forget()

    def hart_of(self, reply: StopReply) -> int:
        """Return the hart of the thread that a stop names, the first one where it names none."""
        return self.threads.index(reply.thread) if reply.thread in self.threads else 0

    def value(self, hart: int, name: str) -> int | None:
        """Return a register of a hart."""
        return self.harts[hart].values[self.arch.registers.index(name)]

    def space(self, hart: int, use: Use = Use.DATA) -> AddressSpace | None:
        """Return the address space in force, None where that is not known."""
        privilege = self.harts[hart].privilege
        return self.arch.address_space(lambda name: self.value(hart, name), privilege, use)

    def walk(self, space: AddressSpace, virtual: int) -> Walk:
        """Walk the page tables as they are now."""
        return self.arch.walk(space, VirtualAddress(virtual), self.memory.word)

    def translate(self, hart: int, virtual: int, use: Use = Use.DATA) -> PhysicalAddress | None:
        """Return where an address of a hart lies, None where it is not mapped or that is not known."""
        space = self.space(hart, use)
        return None if space is None else self.walk(space, virtual).physical

    def code(self, hart: int, address: int) -> tuple[int, bytes] | None:
        """Return physical address and bytes of the instruction at an address, None where none can be read."""
        physical = self.translate(hart, address, Use.FETCH)
        first = None if physical is None else self.memory.read(physical, 2)
        if physical is None or first is None:
            return None
        if self.arch.effect(first + bytes(2)).length == len(first):
            return physical, first
        rest = self.translate(hart, address + 2, Use.FETCH)
        second = None if rest is None else self.memory.read(rest, 2)
        return None if second is None else (physical, first + second)

    def step_mask(self, *, interrupts: bool) -> str:
        """Choose whether interrupts and timers go on while a hart is stepped; return what is in force."""
        wanted = ENABLE if interrupts else ENABLE | NO_INTERRUPTS | NO_TIMERS
        before = re.fullmatch(rb"0x([0-9a-f]+)", self.stub.ask(b"qqemu.sstep"))
        if before:
            self.stub.at_end(b"Qqemu.sstep=" + before[1])
        if self.stub.ask(b"Qqemu.sstep=%x" % wanted) != b"OK":
            return "the stub does not tell which interrupts come while it steps"
        return "interrupts and timers come" if interrupts else "interrupts are masked and timers stand still"

    def describe(self) -> dict[str, Any]:
        """Return the ``guest`` record of a capture."""
        version = (self.stub.monitor("info version") or "").strip().partition("\n")[0]
        found = re.match(r"[0-9]+(\.[0-9]+)+", version)
        return {
            "arch": self.arch.name,
            "harts": len(self.threads),
            "registers": list(self.arch.registers),
            "ram": [_area(area) for area in self.areas if area.kind == "ram"],
            "devices": [{**_area(area), "name": area.name} for area in self.areas if area.kind == "device"],
            "qemu": found[0] if found else "unknown",
            "command": [],
            "clock": "unknown",
            "start_t": 0,
            "source": "gdbstub",
        }

    def detach(self) -> None:
        """Let the guest run on without this debugger."""
        self.stub.detach()


def _area(area: MemoryRange) -> Mapping[str, Any]:
    return {"start": area.start, "size": area.size}


def _threads(stub: Stub) -> list[bytes]:
    threads: list[bytes] = []
    reply = stub.ask(b"qfThreadInfo")
    while reply[:1] == b"m" and len(threads) < HART_LIMIT:
        threads += reply[1:].split(b",")
        reply = stub.ask(b"qsThreadInfo")
    if not threads:
        raise StubError("the stub names no vCPU")
    return threads


def _areas(stub: Stub) -> tuple[MemoryRange, ...]:
    """Return the map of memory; the largest part of it is the main RAM."""
    text = stub.monitor("info mtree -f")
    if text is None:
        raise StubError("the stub has no monitor to ask for the map of memory: is it QEMU's?")
    sizes: dict[str, int] = {}
    for area in parse_memory_map(text, ""):
        if area.kind == "memory":
            sizes[area.name] = sizes.get(area.name, 0) + area.size
    if not sizes:
        raise StubError("QEMU's monitor lists no RAM in `info mtree -f`")
    return parse_memory_map(text, max(sizes, key=lambda name: sizes[name]))
