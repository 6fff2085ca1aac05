"""A minimal client of gdb's remote serial protocol over a unix socket (gdb manual, appendix E)."""

import re
import socket
import time
from pathlib import Path
from types import TracebackType
from typing import Self

TIMEOUT = 60.0
CHUNK = 1024
"""Bytes of memory at once: a packet of QEMU's stub has 4096 characters at most."""


class RspError(Exception):
    """The stub said something that was not expected."""


class RspClient:
    """Talks to QEMU's gdbstub; registers by the names of its target description."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(TIMEOUT)
        self._connect(path)
        self._pending = b""
        self.ask("qSupported:swbreak+;hwbreak+;xmlRegisters=riscv")
        # Interrupts and timers as ever while it steps (QEMU manual, GDB usage).
        self._expect("Qqemu.sstep=0x1", "OK")
        self.numbers = self._register_numbers()

    def _connect(self, path: Path) -> None:
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                return self._socket.connect(str(path))
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)

    def ask(self, packet: str) -> str:
        """Send a packet and return the reply's content."""
        data = packet.encode("latin-1")
        self._socket.sendall(b"$" + data + b"#%02x" % (sum(data) % 256))
        return self._reply()

    def _reply(self) -> str:
        while not (match := re.match(rb"[+]*\$([^#]*)#..", self._pending, re.DOTALL)):
            received = self._socket.recv(1 << 16)
            if not received:
                raise RspError("the stub has hung up")
            self._pending += received
        self._pending = self._pending[match.end() :]
        self._socket.sendall(b"+")
        return _unescaped(match[1]).decode("latin-1")

    def _expect(self, packet: str, reply: str) -> None:
        got = self.ask(packet)
        if got != reply:
            raise RspError(f"{packet}: {got!r} instead of {reply!r}")

    def _register_numbers(self) -> dict[str, int]:
        """Number the registers of target.xml and of the files that it includes, in their order."""
        files = re.findall(r'<xi:include href="([^"]+)"', self._feature("target.xml"))
        numbers: dict[str, int] = {}
        following = 0
        for file in files:
            for name, number in _registers(self._feature(file)):
                following = following if number is None else number
                numbers[name] = following
                following += 1
        return numbers

    def _feature(self, name: str) -> str:
        text = ""
        while True:
            part = self.ask(f"qXfer:features:read:{name}:{len(text):x},ffb")
            text += part[1:]
            if part[0] != "m":
                return text

    def register(self, name: str) -> int:
        """Return a register of the hart that stopped."""
        return int.from_bytes(bytes.fromhex(self.ask(f"p{self.numbers[name]:x}")), "little")

    def read(self, address: int, size: int, *, physical: bool) -> bytes | None:
        """Return memory, None where the stub cannot read a part of it."""
        self._expect(f"Qqemu.PhyMemMode:{int(physical)}", "OK")
        data = b""
        for start in range(address, address + size, CHUNK):
            reply = self.ask(f"m{start:x},{min(CHUNK, address + size - start):x}")
            if reply.startswith("E"):
                return None
            data += bytes.fromhex(reply)
        return data

    def run_to(self, pc: int, times: int = 1) -> None:
        """Run until the instruction at pc, after this one, is about to start for the ``times``-th time."""
        self._expect(f"Z1,{pc:x},4", "OK")
        for _ in range(times):
            # QEMU would stop at once at a breakpoint where it stands, but steps over it.
            self.ask("s")
            if self.register("pc") != pc:
                self.ask("c")
        self._expect(f"z1,{pc:x},4", "OK")

    def step(self, count: int) -> None:
        """Run ``count`` instructions."""
        for _ in range(count):
            self.ask("s")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()


def _unescaped(data: bytes) -> bytes:
    """Undo escapes and run lengths (gdb manual, E.1)."""
    out = bytearray()
    place = 0
    while place < len(data):
        byte = data[place]
        if byte == ord("}"):
            out.append(data[place + 1] ^ 0x20)
            place += 2
        elif byte == ord("*"):
            out += out[-1:] * (data[place + 1] - 29)
            place += 2
        else:
            out.append(byte)
            place += 1
    return bytes(out)


def _registers(xml: str) -> list[tuple[str, int | None]]:
    found = []
    for tag in re.findall(r"<reg ([^>]*)/>", xml):
        fields = dict(re.findall(r'(\w+)="([^"]*)"', tag))
        found.append((fields["name"], int(fields["regnum"]) if "regnum" in fields else None))
    return found
