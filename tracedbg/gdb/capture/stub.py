"""A client of QEMU's gdbstub: requests and replies of the remote protocol (gdb manual, E.2 to E.4)."""

import re
from dataclasses import dataclass
from time import monotonic

from tracedbg.closing import Closing
from tracedbg.errors import TracedbgError
from tracedbg.gdb.framing import Damaged, Mark, Packet, PacketReader, frame
from tracedbg.gdb.transport import Connection

REPLY_SECONDS = 20.0
IN_FLIGHT = 32
"""Requests sent before their replies are read, so that neither side waits for room in a socket."""
READ_SIZE = 1 << 10
"""Bytes of memory a request: a packet of QEMU's holds 4,096 characters, two for each byte."""
_PAUSED, _NOT_STARTED = "VM status: paused", "(prelaunch)"
"""What QEMU's monitor calls a guest that stands still, and one that was started with -S and never ran."""
_STOP = re.compile(rb"T([0-9a-f]{2})(.*)", re.DOTALL)


class StubError(TracedbgError):
    """The stub does not do what is needed of it."""


class StubGoneError(StubError):
    """The stub has hung up, or its QEMU has ended; ``status`` is its exit code, where the stub told."""

    def __init__(self, status: int | None = None) -> None:
        super().__init__(status)
        self.status = status

    def __str__(self) -> str:
        return "the stub has hung up: its QEMU has ended"


@dataclass(frozen=True)
class StopReply:
    """Why a guest stopped: ``signal``, the thread that did, and the address of a watchpoint that was hit."""

    signal: int
    thread: bytes
    watched: int | None


class Stub(Closing):
    """One connection to a stub, whose guest stands still. Everything raises StubGoneError when it has gone.

    QEMU's stub neither leaves out acknowledgements nor waits for them, so several requests may be under way.
    QEMU stops a guest for whoever connects and does not let it go on when they hang up: ``close`` does that.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._reader = PacketReader(run_lengths=True)
        self._replies: list[bytes] = []
        self._at_end: list[bytes] = []
        self._is_attached = True

    def ask(self, request: bytes) -> bytes:
        """Send a request and return its reply."""
        return self.batch([request])[0]

    def batch(self, requests: list[bytes]) -> list[bytes]:
        """Send requests that have one reply each, and return the replies in order."""
        replies: list[bytes] = []
        for start in range(0, len(requests), IN_FLIGHT):
            part = requests[start : start + IN_FLIGHT]
            self.send(b"".join(map(frame, part)))
            replies.extend(self._next() for _ in part)
        return replies

    def greet(self, request: bytes) -> bytes:
        """Send the first request, and return its reply; older stubs tell of the stop before it."""
        reply = self.ask(request)
        while _STOP.match(reply):
            reply = self._next()
        return reply

    def expect_ok(self, request: bytes, purpose: str) -> None:
        """Send a request that must be answered with OK; StubError says what cannot be done."""
        reply = self.ask(request)
        if reply != b"OK":
            answer = reply.decode("latin-1") or "nothing: it does not know the request"
            raise StubError(f"the stub does not {purpose}: it answers {answer[:60]}")

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        if not self._connection.send(data):
            raise self._lost(StubGoneError())

    def at_end(self, request: bytes) -> None:
        """Have a request sent before the guest is left: it takes back what the next debugger would find."""
        self._at_end.append(request)

    def detach(self) -> None:
        """Let the guest run on; breakpoints and watchpoints that are left go."""
        self.batch([*self._at_end, b"D;1"])
        self._is_attached = False

    def resume(self, action: bytes) -> None:
        """Let the guest run, as ``vCont`` names it; ``wait`` tells how that ends."""
        self.send(frame(b"vCont;" + action))

    def wait(self, seconds: float) -> StopReply | None:
        """Wait until the guest stops; None when it has not after some seconds."""
        deadline = monotonic() + seconds
        while True:
            reply = self._find(deadline)
            if reply is None:
                return None
            if reply[:1] in b"WX":
                raise self._lost(StubGoneError(int(reply[1:3], 16) if reply[:1] == b"W" else None))
            match = _STOP.match(reply)
            if match:
                return _stop_reply(match)

    def interrupt(self) -> None:
        """Make a running guest stop."""
        self.send(Mark.INTERRUPT.value)

    def monitor(self, line: str) -> str | None:
        """Run a command of QEMU's monitor and return what it prints; None where the stub has no monitor."""
        self.send(frame(b"qRcmd," + line.encode().hex().encode()))
        text = b""
        while True:
            reply = self._next()
            if reply[:1] == b"O" and reply != b"OK":
                text += _decoded(reply[1:])
            else:
                return text.decode(errors="replace") if reply == b"OK" else None

    def feature(self, name: str) -> str:
        """Return a file of the target description."""
        text = b""
        while True:
            part = self.ask(b"qXfer:features:read:%s:%x,ff0" % (name.encode(), len(text)))
            if part[:1] not in (b"m", b"l"):
                problem = f"the stub has no target description ({name})"
                raise StubError(f"{problem}: its guest is no riscv64 one, or it is not QEMU's")
            text += part[1:]
            if part[:1] == b"l":
                return text.decode(errors="replace")

    def _next(self) -> bytes:
        reply = self._find(monotonic() + REPLY_SECONDS)
        if reply is None:
            asked = "is a gdbstub there, with no other debugger?"
            problem = f"the stub does not answer within {REPLY_SECONDS:g} s: {asked}"
            raise self._lost(StubError(problem))
        return reply

    def _lost(self, error: StubError) -> StubError:
        """Return an error after which there is nobody to detach from."""
        self._is_attached = False
        return error

    def _find(self, deadline: float) -> bytes | None:
        """Return the next reply, None at the deadline."""
        while not self._replies:
            data = self._connection.receive_within(max(deadline - monotonic(), 0.0))
            if data is None:
                return None
            if not data:
                raise self._lost(StubGoneError())
            for event in self._reader.feed(data):
                if isinstance(event, Packet):
                    self._replies.append(event.content)
                elif isinstance(event, Damaged):
                    raise self._lost(StubError(f"what answers is no gdbstub: {event.problem}"))
        return self._replies.pop(0)

    def close(self) -> None:
        """Hang up; a guest that has not been detached from, and was not started with -S, runs on."""
        try:
            self._leave()
        finally:
            self._connection.close()

    def _leave(self) -> None:
        try:
            if not self._is_attached:
                return
            status = self.monitor("info status") or ""
            if _PAUSED in status and _NOT_STARTED not in status:
                self.detach()
            else:
                self.batch(self._at_end)
        except StubError:
            # Why the guest is being left has been said; that it cannot be left well adds nothing.
            return


def _decoded(digits: bytes) -> bytes:
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise StubError("what the stub's monitor prints is not written in hexadecimal digits") from None


def _stop_reply(match: re.Match[bytes]) -> StopReply:
    fields = dict(field.split(b":", 1) for field in match[2].split(b";") if b":" in field)
    watched = next((fields[name] for name in (b"watch", b"rwatch", b"awatch") if name in fields), None)
    try:
        address = None if watched is None else int(watched, 16)
    except ValueError:
        address = None
    return StopReply(int(match[1], 16), fields.get(b"thread", b""), address)
