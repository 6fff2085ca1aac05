"""Physical memory of a guest that stands still, page by page, and which of it is known since it last ran."""

import re
from collections.abc import Callable, Sequence

from tracedbg.arch.memory_map import MemoryRange
from tracedbg.format.schema import PAGE_SIZE
from tracedbg.gdb.capture.stub import READ_SIZE, Stub, StubError

WORD = 8
"""Bytes in which a change of memory is told."""
PAGES_LIMIT = 1 << 10
"""Pages that are read at one stop; a stop that wants more goes without."""
_PHYSICAL = b"Qqemu.PhyMemMode:1"
_VIRTUAL = b"Qqemu.PhyMemMode:0"
_BYTE = re.compile(r": 0x([0-9a-f]{2})\b")
_WORDS = re.compile(r"0x([0-9a-f]{16})\b")

ReadPage = Callable[[int], bytes | None]


class PhysicalReader:
    """Reads pages by physical address: in QEMU's own mode for that, else through its monitor."""

    def __init__(self, stub: Stub) -> None:
        self._stub = stub
        self.has_mode = stub.ask(_PHYSICAL) == b"OK"
        if self.has_mode:
            stub.at_end(_VIRTUAL)
        elif stub.monitor("xp /1gx 0") is None:
            raise StubError("the stub reads no physical memory: it is not QEMU's, or much older than 7.2")

    def page(self, address: int) -> bytes | None:
        """Return a page, None where the stub cannot read all of it."""
        if not self.has_mode:
            return self._printed(address)
        replies = self._stub.batch(
            [self.request(start, READ_SIZE) for start in range(address, address + PAGE_SIZE, READ_SIZE)]
        )
        parts = [content(reply) for reply in replies]
        whole = b"".join(part for part in parts if part is not None)
        return whole if len(whole) == PAGE_SIZE else None

    def word(self, address: int) -> bytes:
        """Return eight bytes; StubError where none can be read."""
        if self.has_mode:
            found = content(self._stub.ask(self.request(address, WORD)))
        else:
            words = _WORDS.findall(self._stub.monitor(f"xp /1gx {address:#x}") or "")
            found = int(words[0], 16).to_bytes(WORD, "little") if words else None
        if found is None or len(found) != WORD:
            raise StubError(f"memory at {address:#x} cannot be read any more")
        return found

    def byte(self, address: int) -> int | None:
        """Return one byte, also of a device, None where none can be read."""
        if self.has_mode:
            found = content(self._stub.ask(self.request(address, 1)))
            return found[0] if found else None
        match = _BYTE.search(self._stub.monitor(f"xp /1bx {address:#x}") or "")
        return None if match is None else int(match[1], 16)

    @staticmethod
    def request(address: int, size: int) -> bytes:
        """Return the request that reads some bytes, where there is the mode for it."""
        return b"m%x,%x" % (address, size)

    def _printed(self, address: int) -> bytes | None:
        text = self._stub.monitor(f"xp /{PAGE_SIZE // 8}gx {address:#x}") or ""
        lines = (line.partition(":")[2] for line in text.splitlines())
        words = [int(word, 16) for line in lines for word in _WORDS.findall(line)]
        return (
            b"".join(word.to_bytes(8, "little") for word in words) if len(words) == PAGE_SIZE // 8 else None
        )


def content(reply: bytes) -> bytes | None:
    """Return the bytes that a memory read is answered with, None for an error."""
    if not reply or (reply[:1] == b"E" and len(reply) == 3):
        return None
    try:
        return bytes.fromhex(reply.decode("ascii"))
    except (ValueError, UnicodeDecodeError):
        return None


class KnownMemory:
    """Pages that were read since the guest last ran unseen, kept up to date by the stores that are seen.

    Of other pages it holds the bytes that loads and stores have shown.

    ``fresh`` are the addresses of pages that were read and are not in the trace yet; ``is_cut`` tells that
    some stop wanted more than PAGES_LIMIT. Only memory is read: registers of devices may change by that.
    """

    def __init__(self, read: ReadPage, areas: Sequence[MemoryRange]) -> None:
        self._read = read
        self._ram = [(area.start, area.start + area.size) for area in areas if area.kind == "ram"]
        self._memory = [(area.start, area.start + area.size) for area in areas if area.kind != "device"]
        self._pages: dict[int, bytearray] = {}
        self._bytes: dict[int, int] = {}
        self.fresh: list[int] = []
        self.is_cut = False

    def forget(self) -> None:
        """The guest runs unseen: nothing is known any more."""
        self._pages.clear()
        self._bytes.clear()
        self.fresh.clear()

    def is_ram(self, address: int) -> bool:
        """Say whether main memory answers."""
        return any(start <= address < end for start, end in self._ram)

    def is_memory(self, address: int) -> bool:
        """Say whether main memory, boot ROM or flash answers."""
        return any(start <= address < end for start, end in self._memory)

    def page(self, address: int) -> bytearray | None:
        """Return the page that holds an address, read now if need be; None where no memory is."""
        base = address & -PAGE_SIZE
        found = self._pages.get(base)
        if found is not None or not self.is_memory(base):
            return found
        if len(self._pages) >= PAGES_LIMIT:
            self.is_cut = True
            return None
        data = self._read(base)
        if data is None:
            return None
        self.fresh.append(base)
        self._pages[base] = bytearray(data)
        return self._pages[base]

    def read(self, address: int, size: int) -> bytes | None:
        """Return bytes of one page, None where they cannot be read."""
        page = self.page(address)
        offset = address % PAGE_SIZE
        return None if page is None else bytes(page[offset : offset + size])

    def differs(self, address: int, data: bytes) -> bool:
        """Say whether bytes of one page are known, without reading, to be others than these."""
        page = self._pages.get(address & -PAGE_SIZE)
        if page is None:
            known = self._bytes.get
            return any(known(place, byte) != byte for place, byte in enumerate(data, address))
        offset = address % PAGE_SIZE
        return page[offset : offset + len(data)] != data

    def word(self, address: int) -> int | None:
        """Return the eight bytes at an address as a number."""
        data = self.read(address, 8)
        return None if data is None or len(data) < 8 else int.from_bytes(data, "little")

    def keep(self, address: int, data: bytes) -> None:
        """A load or store of one page has shown these bytes."""
        page = self._pages.get(address & -PAGE_SIZE)
        if page is not None:
            offset = address % PAGE_SIZE
            page[offset : offset + len(data)] = data
        elif self.is_memory(address):
            self._bytes.update(enumerate(data, address))

    def take_fresh(self) -> list[tuple[int, bytes]]:
        """Return address and content of the fresh pages, which are then no longer fresh."""
        taken = [(base, bytes(self._pages[base])) for base in self.fresh]
        self.fresh.clear()
        return taken
