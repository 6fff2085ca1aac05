"""QEMU's machine protocol over a unix socket that the host listens on, and what is asked through it.

Framing and commands follow QEMU's docs/interop/qmp-spec.rst: one JSON object a line, in both directions.
"""

import functools
import json
import os
import re
import select
import socket
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tracedbg.arch.memory_map import MemoryRange, parse_memory_map
from tracedbg.closing import Closing
from tracedbg.errors import RecordError
from tracedbg.record import command

OLDEST_VERSION = (9, 2)
_PATIENCE = 20.0
_PART = 1 << 16


@dataclass(frozen=True)
class Event:
    """A QMP event such as RESET or SHUTDOWN (``data["reason"]``); ``seconds`` is the host's wall clock."""

    name: str
    data: dict[str, Any]
    seconds: float


class QemuEndedError(RecordError):
    """A QEMU ended before it could be asked; ``message`` is what it said, if the user did not see it."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return self.message or "QEMU ended before its machine was built"


class QmpListener(Closing):
    """Listens for the connection that QEMU makes because of its ``-chardev socket,...,server=off``."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen(1)

    def accept(self, timeout: float, pidfd: int | None = None) -> "Qmp":
        """Wait for QEMU and greet it.

        RecordError after ``timeout`` seconds; QemuEndedError as soon as the process of ``pidfd`` has ended.
        """
        waiting = [self.fileno(), *([] if pidfd is None else [pidfd])]
        ready, _, _ = select.select(waiting, [], [], timeout)
        if not ready:
            raise RecordError(f"QEMU did not open its QMP socket within {timeout:g} s")
        if self.fileno() not in ready:
            raise QemuEndedError
        connection, _ = self._socket.accept()
        return Qmp(connection)

    def fileno(self) -> int:
        """Return the descriptor, which is readable when QEMU waits to be accepted."""
        return self._socket.fileno()

    def close(self) -> None:
        """Listen no more."""
        self._socket.close()


class Qmp(Closing):
    """A greeted connection. Events that arrive meanwhile gather in ``events``, oldest first."""

    def __init__(self, connection: socket.socket, timeout: float = _PATIENCE) -> None:
        self.events: list[Event] = []
        self.closed = False
        self._socket = connection
        self._pending = b""
        self._timeout = timeout
        greeting = self._next(time.monotonic() + timeout)
        if greeting is None and self.closed:
            raise QemuEndedError
        if greeting is None or "QMP" not in greeting:
            raise RecordError("what connected to the QMP socket is not QEMU")
        found = greeting["QMP"]["version"]["qemu"]
        self.version = (int(found["major"]), int(found["minor"]), int(found["micro"]))
        try:
            self.execute("qmp_capabilities")
        except RecordError:
            if self.closed:
                raise QemuEndedError from None
            raise

    def execute(self, name: str, **arguments: object) -> Any:  # noqa: ANN401 - the reply is any JSON value
        """Run a command and return its reply; RecordError when QEMU refuses it, is gone or is too slow."""
        self._send({"execute": name, "arguments": arguments})
        deadline = time.monotonic() + self._timeout
        while (reply := self._next(deadline)) is not None:
            if "return" in reply:
                return reply["return"]
            if "error" in reply:
                raise RecordError(f"QMP {name}: {reply['error'].get('desc', 'refused')}")
        raise RecordError(f"QMP {name}: {'QEMU has ended' if self.closed else 'no answer'}")

    def human(self, line: str) -> str:
        """Run a command of the human monitor and return what it prints."""
        return str(self.execute("human-monitor-command", **{"command-line": line}))

    def poll(self, timeout: float = 0.0) -> None:
        """Gather the events that arrive within ``timeout`` seconds, or until QEMU ends (``closed``)."""
        deadline = time.monotonic() + timeout
        while self._next(deadline) is not None:
            pass

    def wait_for(self, name: str, timeout: float) -> Event | None:
        """Return the first event of this name, gathered or to come, None after ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        while True:
            for event in self.events:
                if event.name == name:
                    return event
            if self._next(deadline) is None:
                return None

    def quit(self) -> None:
        """Ask QEMU to end; its reply comes only when all CPUs have stopped, so the event is enough."""
        self._send({"execute": "quit"})
        self.wait_for("SHUTDOWN", self._timeout)

    def memory_map(self, ram_id: str = command.RAM_ID) -> tuple[MemoryRange, ...]:
        """Return the CPUs' physical memory, ascending; RecordError when the machine leaves out ``ram_id``."""
        ranges = parse_memory_map(self.human("info mtree -f"), ram_id)
        if not any(part.kind == "ram" for part in ranges):
            raise RecordError(
                "this machine does not take its RAM from -machine memory-backend, so it cannot be recorded:"
                " use another -machine (virt, spike, sifive_u)"
            )
        return ranges

    def fileno(self) -> int:
        """Return the descriptor, which is readable when ``poll`` has something to gather."""
        return self._socket.fileno()

    def close(self) -> None:
        """Close the connection; QEMU goes on without it."""
        self.closed = True
        self._socket.close()

    def _send(self, message: dict[str, Any]) -> None:
        try:
            self._socket.settimeout(self._timeout)
            self._socket.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.closed = True

    def _next(self, deadline: float) -> dict[str, Any] | None:
        """Return the next message and gather it if an event; None at the deadline or when QEMU is gone."""
        while b"\n" not in self._pending:
            if not self._fill(max(deadline - time.monotonic(), 0.0)):
                return None
        line, _, self._pending = self._pending.partition(b"\n")
        message: dict[str, Any] = json.loads(line)
        if "event" in message:
            stamp = message.get("timestamp", {})
            seconds = stamp.get("seconds", 0) + stamp.get("microseconds", 0) / 1e6
            self.events.append(Event(message["event"], message.get("data", {}), seconds))
        return message

    def _fill(self, timeout: float) -> bool:
        if self.closed:
            return False
        try:
            self._socket.settimeout(timeout)
            part = self._socket.recv(_PART)
        except (TimeoutError, BlockingIOError):
            return False
        except OSError:  # QEMU that quits resets a connection with unread bytes
            part = b""
        self.closed = not part
        self._pending += part
        return bool(part)


@functools.cache
def qemu_version(qemu: Path) -> tuple[int, ...]:
    """Return what ``QEMU --version`` says, as (major, minor, micro); RecordError when it says nothing."""
    try:
        done = subprocess.run(
            [qemu, "--version"], capture_output=True, text=True, timeout=_PATIENCE, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise RecordError(f"{qemu}: cannot be run: {error}") from None
    found = re.search(r"version (\d+)\.(\d+)\.(\d+)", done.stdout)
    if not found:
        raise RecordError(f"{qemu} --version: no QEMU version in what it prints")
    return tuple(int(part) for part in found.groups())


def require_version(qemu: Path) -> None:
    """Raise RecordError, with the version found, when this QEMU is too old to be recorded."""
    version = qemu_version(qemu)
    if version < OLDEST_VERSION:
        found, oldest = ".".join(map(str, version)), ".".join(map(str, OLDEST_VERSION))
        raise RecordError(
            f"{qemu} is version {found}; recording needs {oldest} or later (its plugins see memory values):"
            " install a newer one, or use `tracedbg attach` with QEMU's gdbstub"
        )


def default_ram_bytes(qemu: Path, argv: Sequence[str], cwd: Path) -> int:
    """Return the size of the main RAM of the user's machine, in bytes; QemuEndedError with QEMU's message.

    QEMU is asked, since it would take the size of any backend that it is given without ``-m``.
    """
    try:
        return _ask_ram_bytes(qemu, ("-bios", "none", *command.machine_options(argv, loaded=False)), cwd)
    except QemuEndedError:  # some machines insist on firmware
        return _ask_ram_bytes(qemu, tuple(command.machine_options(argv, loaded=True)), cwd)


@functools.cache
def _ask_ram_bytes(qemu: Path, machine: tuple[str, ...], cwd: Path) -> int:
    with tempfile.TemporaryDirectory(prefix="tracedbg-", dir="/tmp") as folder:
        errors = Path(folder) / "stderr"
        with QmpListener(Path(folder) / "qmp") as listener, errors.open("wb") as sink:
            own = ["-S", "-nodefaults", "-display", "none", "-mon", "chardev=q,mode=control"]
            words = [str(qemu), *machine, *own, "-chardev", f"socket,id=q,path={folder}/qmp,server=off"]
            child = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, cwd=cwd)
            try:
                with os.fdopen(os.pidfd_open(child.pid)) as ended:
                    qmp = listener.accept(_PATIENCE, ended.fileno())
                with qmp:
                    return int(qmp.execute("query-memory-size-summary")["base-memory"])
            except QemuEndedError:
                raise QemuEndedError(errors.read_text(errors="replace").strip()) from None
            finally:
                child.kill()
                child.wait()
