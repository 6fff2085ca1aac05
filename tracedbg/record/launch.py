"""Runs the user's command so that every QEMU it starts by name asks the recorder first.

A temporary folder with a shim for each ``qemu-system-*`` goes first on PATH. The command keeps the terminal,
standard streams, process group and exit status that it would have without tracedbg.
"""

import os
import selectors
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

from tracedbg.errors import RecordError, TracedbgError
from tracedbg.record import shim

_MARK = ".tracedbg-shims"
_NAMES = "qemu-system-"
_LONGEST_BASE = 60
_REQUEST_SECONDS = 10.0
_LAST_SECONDS = 5.0
_CREDENTIALS = struct.Struct("=iII")
_FORWARDED = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)

Handler = Callable[[int, FrameType | None], Any] | int | None


@dataclass(frozen=True)
class QemuRequest:
    """A QEMU that waits to be started.

    ``number`` counts recorded ones from 1. ``argv`` is the user's, ``qemu`` the binary. ``ram_fd`` is an
    empty memfd (size it with ``os.ftruncate``) that QEMU itself has as ``qemu_ram_fd``; ``pidfd`` turns
    readable when the process ends. Both belong to the recorder once it answers Run. ``folder`` is private to
    this session and short enough for sockets; it goes with the Launcher.
    """

    number: int
    qemu: Path
    argv: tuple[str, ...]
    cwd: Path
    pid: int
    pidfd: int
    ram_fd: int
    qemu_ram_fd: int
    folder: Path


@dataclass(frozen=True)
class Run:
    """Start QEMU with this command line, which is recorded."""

    argv: tuple[str, ...]


@dataclass(frozen=True)
class Untouched:
    """Start QEMU as the user wrote it; nothing is recorded."""


@dataclass(frozen=True)
class Refuse:
    """Do not start QEMU; ``sentence`` goes to its stderr and its exit code is 2."""

    sentence: str


Answer = Run | Untouched | Refuse


@dataclass(frozen=True)
class Outcome:
    """How the command ended: ``status`` as a shell has it (128 + n for signal n), its QEMUs by answer."""

    status: int
    recorded: int
    untouched: int
    refused: int


class Launcher:
    """Starts a command on entry of the ``with`` block; leaving the block ends what still runs of it.

    ``on_qemu`` is called on a thread of the launcher, one QEMU at a time, and may raise TracedbgError to
    refuse. Any other exception of it refuses too, and is raised again by ``wait``. Enter it on the main
    thread to have signals forwarded to the command.
    """

    def __init__(self, command: Sequence[str], on_qemu: Callable[[QemuRequest], Answer]) -> None:
        self._command = list(command)
        self._on_qemu = on_qemu
        self._folder: Path | None = None
        self._door: _Door | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._handlers: dict[signal.Signals, Handler] = {}

    @property
    def folder(self) -> Path:
        """The temporary folder (mode 0700) that lives as long as the ``with`` block."""
        if self._folder is None:
            raise RuntimeError("folder outside the with block")
        return self._folder

    def __enter__(self) -> Self:
        self._folder = folder = _private_folder()
        try:
            self._door = _Door(folder, self._on_qemu)
            words = _write_shims(folder, self._door.path, self._command)
            self._take_signals()
            self._child = _start(words, folder / "bin")
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._child is not None:
            _end(self._child)
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        if self._door is not None:
            self._door.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)

    def running(self) -> bool:
        """Tell whether the command still runs (what it left in the background does not count)."""
        return self._child is not None and self._child.poll() is None

    def status_of(self, pid: int) -> int | None:
        """Return the exit status of ``pid`` if that is the command itself, which is about to end."""
        if self._child is None or self._child.pid != pid:
            return None
        try:
            code = self._child.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            return None
        return code if code >= 0 else 128 - code

    def wait(self) -> Outcome:
        """Wait for the command's end; RecordError when it asked for no QEMU at all."""
        if self._child is None or self._door is None:
            raise RuntimeError("wait() outside the with block")
        code = self._child.wait()
        self._door.close()
        if self._door.bug is not None:
            raise self._door.bug
        counts = self._door.counts
        if not any(counts.values()):
            raise RecordError(_nothing_started(self._command, code))
        status = code if code >= 0 else 128 - code
        return Outcome(status, counts[Run], counts[Untouched], counts[Refuse])

    def _take_signals(self) -> None:
        if threading.current_thread() is not threading.main_thread():
            return
        for number in _FORWARDED:
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._handlers[number] = signal.signal(number, self._forward)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        if self._child is None:
            raise SystemExit(128 + number)
        from_keyboard = number in {signal.SIGINT, signal.SIGQUIT} and _in_foreground()
        if not from_keyboard:
            self._child.send_signal(number)


class _Door:
    """The socket that shims come to, and the thread that answers them."""

    def __init__(self, folder: Path, on_qemu: Callable[[QemuRequest], Answer]) -> None:
        self.path = folder / "control"
        self.counts: dict[type[Answer], int] = {Run: 0, Untouched: 0, Refuse: 0}
        self.bug: Exception | None = None
        self._folder = folder
        self._on_qemu = on_qemu
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._serve, name="tracedbg-launcher", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Answer no more shims; may be called again."""
        self._wake.close()
        self._thread.join()

    def _serve(self) -> None:
        with self._listener, self._woken, selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._woken, selectors.EVENT_READ)
            while all(key.fileobj is self._listener for key, _ in selector.select()):
                connection, _ = self._listener.accept()
                # A shim that dies while it is asked has said why on its own stderr.
                with connection, suppress(OSError, ValueError, KeyError, TypeError):
                    connection.settimeout(_REQUEST_SECONDS)
                    self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        request = _received(connection, self._folder, self.counts[Run] + 1)
        answer = self._ask(request)
        self.counts[type(answer)] += 1
        if not isinstance(answer, Run):
            os.close(request.ram_fd)
            os.close(request.pidfd)
        shim.send(connection, _message(answer))

    def _ask(self, request: QemuRequest) -> Answer:
        try:
            request.folder.mkdir(mode=0o700, exist_ok=True)
            return self._on_qemu(request)
        except TracedbgError as error:
            return Refuse(str(error))
        except Exception as error:  # noqa: BLE001 - raised again on the main thread by Launcher.wait
            self.bug = error
            return Refuse(f"the recorder failed: {error}")


def _received(connection: socket.socket, folder: Path, number: int) -> QemuRequest:
    message, descriptors = shim.receive(connection)
    with ExitStack() as unclaimed:
        for descriptor in descriptors:
            os.set_inheritable(descriptor, False)
            unclaimed.callback(os.close, descriptor)
        if len(descriptors) != 1:
            raise ValueError("a request comes with one descriptor")
        size = _CREDENTIALS.size
        pid, _, _ = _CREDENTIALS.unpack(connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
        request = QemuRequest(
            number=number,
            qemu=Path(str(message["qemu"])),
            argv=tuple(message["argv"]),
            cwd=Path(str(message["cwd"])),
            pid=pid,
            pidfd=os.pidfd_open(pid),
            ram_fd=descriptors[0],
            qemu_ram_fd=int(message["ram"]),
            folder=folder / str(number),
        )
        unclaimed.pop_all()
    return request


def _message(answer: Answer) -> dict[str, object]:
    if isinstance(answer, Run):
        return {"run": list(answer.argv)}
    return {"refused": answer.sentence} if isinstance(answer, Refuse) else {"untouched": True}


def find_qemus(search: str) -> dict[str, Path]:
    """Return the ``qemu-system-*`` programs of a PATH by name, the first of each, without anyone's shims."""
    found: dict[str, Path] = {}
    for entry in search.split(os.pathsep):
        folder = Path(entry).absolute()
        if (folder / _MARK).exists():
            continue
        for candidate in sorted(folder.glob(_NAMES + "*")):
            if _is_program(candidate):
                found.setdefault(candidate.name, candidate)
    return found


def _write_shims(folder: Path, control: Path, command: Sequence[str]) -> list[str]:
    """Fill ``folder/bin`` for PATH; return the command with the paths of QEMUs in it replaced by shims."""
    shims = folder / "bin"
    shims.mkdir()
    (shims / _MARK).touch()
    for name, qemu in find_qemus(os.environ.get("PATH", os.defpath)).items():
        _write_shim(shims / name, control, qemu, name)
    words = list(command)
    for index, word in enumerate(words):
        if "/" in word and Path(word).name.startswith(_NAMES) and _is_program(Path(word)):
            place = folder / f"word{index}"
            place.mkdir()
            _write_shim(place / Path(word).name, control, Path(word).absolute(), word)
            words[index] = str(place / Path(word).name)
    return words


def _write_shim(path: Path, control: Path, qemu: Path, argv0: str) -> None:
    """All paths are written into the script, and sh finds a Python whose path holds spaces."""
    python = [sys.executable, "-I", "-S", str(Path(shim.__file__).absolute()), str(control), str(qemu)]
    path.write_text(f'#!/bin/sh\nexec {shlex.join(python)} "${{LC_CTYPE-}}" {shlex.quote(argv0)} "$@"\n')
    path.chmod(0o700)


def _is_program(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)


def _private_folder() -> Path:
    """A temporary folder whose path leaves room for sockets, which have 107 bytes."""
    base = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="tracedbg-", dir=base if len(base) <= _LONGEST_BASE else "/tmp"))


def _start(words: Sequence[str], shims: Path) -> subprocess.Popen[bytes]:
    search = os.environ.get("PATH", os.defpath)
    environment = {**os.environ, "PATH": f"{shims}{os.pathsep}{search}"}
    try:
        # The command gets the descriptors that tracedbg was given: make's job server, the user's own.
        return subprocess.Popen(words, env=environment, close_fds=False)
    except FileNotFoundError:
        raise RecordError(f"{words[0]}: command not found") from None
    except OSError as error:
        raise RecordError(f"{words[0]}: cannot be run: {error.strerror}") from None


def _end(child: subprocess.Popen[bytes]) -> None:
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(_LAST_SECONDS)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _in_foreground() -> bool:
    """Tell whether the terminal itself sends its keys' signals to the command, as it does to tracedbg."""
    try:
        with Path("/dev/tty").open("rb") as terminal:
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


def _nothing_started(command: Sequence[str], code: int) -> str:
    ended = f"ended with {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
    return (
        f"{shlex.join(command)} {ended} and started no QEMU: nothing recorded."
        " A QEMU that a script starts must be called by its name (qemu-system-riscv64, found on PATH),"
        " not by its full path"
    )
