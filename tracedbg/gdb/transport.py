"""Sockets for the remote protocol: addresses as people write them, a listener, and connections."""

import select
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from tracedbg.closing import Closing
from tracedbg.errors import TracedbgError, UsageError

CHUNK = 1 << 16
SEND_SECONDS = 30.0
"""How long a peer may let what is sent to it lie; then it is taken for dead."""
CONNECT_SECONDS = 10.0
LOOPBACK = "127.0.0.1"

_LOOPBACK_NAMES = ("localhost", "127.", "::1")
_UNIX = "unix:"


class TransportError(TracedbgError):
    """A connection cannot be made, or a port not be listened on; ``address`` is where."""

    def __init__(self, address: "Address", problem: str) -> None:
        super().__init__(address, problem)
        self.address = address
        self.problem = problem

    def __str__(self) -> str:
        return f"{self.address}: {self.problem}"


@dataclass(frozen=True)
class Tcp:
    """A TCP port; port 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return self.host.startswith(_LOOPBACK_NAMES)


@dataclass(frozen=True)
class Unix:
    """A unix socket's path."""

    path: Path

    def __str__(self) -> str:
        return f"{_UNIX}{self.path}"

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches it."""
        return True


Address = Tcp | Unix


def parse_address(text: str) -> Address:
    """Return the address of ``HOST:PORT``, ``:PORT`` (loopback) or ``unix:PATH``; UsageError for others."""
    if text.startswith(_UNIX):
        path = text.removeprefix(_UNIX)
        if not path:
            raise UsageError(f"{text}: no path; write unix:PATH")
        return Unix(Path(path))
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 0xFFFF:
        raise UsageError(f"{text}: no address; write HOST:PORT (a port is 0 to 65535) or unix:PATH")
    return Tcp(host.strip("[]") or LOOPBACK, int(port))


class Connection(Closing):
    """Bytes to and from one peer; a context manager that hangs up."""

    def __init__(self, peer: socket.socket) -> None:
        self._socket = peer
        self._socket.settimeout(SEND_SECONDS)
        if peer.family != socket.AF_UNIX:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)

    def receive(self) -> bytes:
        """Wait for bytes; empty when the peer has gone."""
        try:
            select.select([self._socket], [], [])
            return self._socket.recv(CHUNK)
        except OSError:
            return b""

    def receive_within(self, seconds: float) -> bytes | None:
        """Return bytes that arrive within some seconds: None without any, empty when the peer has gone."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(CHUNK)
        except (TimeoutError, BlockingIOError):
            return None
        except OSError:
            return b""
        finally:
            self._socket.settimeout(SEND_SECONDS)

    def send(self, data: bytes) -> bool:
        """Send all of ``data``; False when the peer has gone or does not take it."""
        try:
            self._socket.sendall(data)
        except OSError:
            return False
        return True

    def has_input(self, seconds: float = 0.0) -> bool:
        """Say whether ``receive`` would return at once, or within some seconds."""
        return bool(select.select([self._socket], [], [], seconds)[0])

    def close(self) -> None:
        """Hang up."""
        self._socket.close()


def connect(address: Address, *, seconds: float = CONNECT_SECONDS) -> Connection:
    """Connect to a server; TransportError says what is in the way."""
    try:
        if isinstance(address, Tcp):
            return Connection(socket.create_connection((address.host, address.port), timeout=seconds))
        peer = socket.socket(socket.AF_UNIX)
        try:
            peer.settimeout(seconds)
            peer.connect(str(address.path))
        except OSError:
            peer.close()
            raise
        return Connection(peer)
    except socket.gaierror as error:
        raise TransportError(address, f"cannot connect: {error.strerror}; check the host's name") from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise TransportError(address, f"cannot connect: {reason}; is a gdbstub listening there?") from error


class Listener(Closing):
    """Waits for peers at an address; a context manager that stops listening.

    ``address`` has the port that was really taken. TransportError where the address cannot be had.
    """

    def __init__(self, address: Address) -> None:
        try:
            self._socket = _listening(address)
        except OSError as error:
            reason = error.strerror or str(error)
            raise TransportError(address, f"cannot listen: {reason}; choose another with --listen") from error
        self._wake, self._waker = socket.socketpair()
        self.address = address
        if isinstance(address, Tcp):
            self.address = Tcp(address.host, self._socket.getsockname()[1])

    def accept(self) -> Connection | None:
        """Wait for the next peer; None once ``stop`` was called."""
        while True:
            ready, _, _ = select.select([self._socket, self._wake], [], [])
            if self._wake in ready:
                return None
            try:
                return Connection(self._socket.accept()[0])
            except OSError:
                # The peer went away before it was answered.
                continue

    def stop(self) -> None:
        """Make ``accept`` return None; may be called from another thread."""
        self._waker.send(b"x")

    def close(self) -> None:
        """Stop listening, and remove a unix socket's path."""
        for each in (self._socket, self._wake, self._waker):
            each.close()
        if isinstance(self.address, Unix):
            self.address.path.unlink(missing_ok=True)


def _listening(address: Address) -> socket.socket:
    if isinstance(address, Tcp):
        family, kind, protocol, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return _bound(listener, where)
    _remove_stale(address.path)
    return _bound(socket.socket(socket.AF_UNIX), str(address.path))


def _bound(listener: socket.socket, where: object) -> socket.socket:
    try:
        listener.bind(where)  # type: ignore[arg-type]  # an address as getaddrinfo gave it
        listener.listen()
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    """Remove a socket that nobody listens on any more."""
    if not path.exists() or not stat.S_ISSOCK(path.stat().st_mode):
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
