"""Registers of a stub's target by the names that a trace gives them."""

import re
import struct
from dataclasses import dataclass

from tracedbg.arch import Architecture
from tracedbg.arch.base import PC, PRIVILEGE
from tracedbg.gdb.capture.stub import Stub, StubError

_INCLUDE = re.compile(r'<xi:include href="([^"]+)"')
_REGISTER = re.compile(r"<reg\s[^>]*>")
_ATTRIBUTE = re.compile(r'(\w+)="([^"]*)"')
_ARCHITECTURE = re.compile(r"<architecture>([^<]*)</architecture>")


@dataclass(frozen=True)
class Numbers:
    """Number of each register that the stub shows: by place in the trace's list, of pc and of the privilege.

    ``general`` is how many registers from 0 on the request ``g`` answers with; pc is the last of them.
    """

    of_trace: dict[int, int]
    pc: int
    privilege: int
    general: int


def read_numbers(stub: Stub, arch: Architecture) -> Numbers:
    """Ask for the target description; StubError when it is of another instruction set."""
    layout = arch.debugger_layout()
    target = stub.feature("target.xml")
    named = _ARCHITECTURE.search(target)
    if named is None or named[1].strip() != layout.architecture:
        found = named[1].strip() if named else "unknown"
        only = f"only {layout.architecture} guests can be captured"
        raise StubError(f"the stub's guest is {found[:40]}: {only}")
    numbers = _numbered(stub, target)
    sources = {
        register.name: register.source for feature in layout.features for register in feature.registers
    }
    by_source = {sources[name]: number for name, number in numbers.items() if name in sources}
    places = {name: place for place, name in enumerate(arch.registers)}
    of_trace = {places[source]: number for source, number in by_source.items() if source in places}
    integers = range(len(arch.integer_registers))
    if any(of_trace.get(place) != place for place in integers) or not {PC, PRIVILEGE} <= by_source.keys():
        raise StubError("the stub does not number its registers as QEMU does")
    return Numbers(of_trace, by_source[PC], by_source[PRIVILEGE], layout.general)


def _numbered(stub: Stub, target: str) -> dict[str, int]:
    """Number the registers of all files, which count on where a file does not say otherwise."""
    numbers: dict[str, int] = {}
    following = 0
    for file in _INCLUDE.findall(target):
        for tag in _REGISTER.findall(stub.feature(file)):
            attributes = dict(_ATTRIBUTE.findall(tag))
            following = int(attributes.get("regnum", following))
            numbers[attributes.get("name", "")] = following
            following += 1
    return numbers


@dataclass(frozen=True)
class HartState:
    """A hart that stands still: ``values`` in the order of the trace's list, None where not known."""

    pc: int
    privilege: int
    values: tuple[int | None, ...]


class RegisterReader:
    """Reads registers. ``thread`` must have been selected with ``select`` before."""

    def __init__(self, stub: Stub, numbers: Numbers, registers: int) -> None:
        self._stub = stub
        self.numbers = numbers
        self._registers = registers
        self._single = {place: n for place, n in numbers.of_trace.items() if n >= numbers.general}

    @staticmethod
    def select(thread: bytes) -> bytes:
        """Return the request that makes others be of a thread."""
        return b"Hg" + thread

    def read(self, thread: bytes) -> HartState:
        """Return all registers of a thread."""
        requests = [self.select(thread), b"g", *self.requests(self._single)]
        _, general, *single = self._stub.batch(requests)
        words = general_words(general, self.numbers.general)
        values: list[int | None] = [None] * self._registers
        integers = self.numbers.general - 1
        values[:integers] = words[:integers]
        found, privilege = self.parse(self._single, single)
        for place, value in found.items():
            values[place] = value
        return HartState(words[self.numbers.pc], privilege, tuple(values))

    def requests(self, places: dict[int, int]) -> list[bytes]:
        """Return the requests for some registers, and for the privilege."""
        return [b"p%x" % number for number in (*places.values(), self.numbers.privilege)]

    @staticmethod
    def parse(places: dict[int, int], replies: list[bytes]) -> tuple[dict[int, int | None], int]:
        """Return what the replies to ``requests`` say: values by place, and the privilege."""
        *values, privilege = map(_value, replies)
        if privilege is None:
            raise StubError("the stub does not tell the privilege of a hart")
        return dict(zip(places, values, strict=True)), privilege

    def places(self, names: frozenset[str], of: tuple[str, ...]) -> dict[int, int]:
        """Return place and number of those of some names that the stub shows beyond the general ones."""
        return {place: number for place, number in self._single.items() if of[place] in names}


def general_words(reply: bytes, count: int) -> list[int]:
    """Return the registers that the answer to ``g`` holds."""
    try:
        data = bytes.fromhex(reply.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        data = b""
    if len(data) < 8 * count:
        raise StubError("the stub does not show the registers of a 64-bit RISC-V guest")
    return list(struct.unpack_from(f"<{count}Q", data))


def _value(reply: bytes) -> int | None:
    """Return a register's value, None for an error."""
    if not reply or (reply[:1] == b"E" and len(reply) == 3):
        return None
    try:
        return int.from_bytes(bytes.fromhex(reply.decode("ascii")), "little") & (1 << 64) - 1
    except (ValueError, UnicodeDecodeError):
        return None
