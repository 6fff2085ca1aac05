"""What runs in QEMU's place: asks the recorder for the command line, and becomes QEMU with it.

This file runs alone, as ``python -I -S shim.py SOCKET QEMU LC_CTYPE ARGV...``: it imports the standard
library only, so that a build's environment cannot get in its way. Its process becomes QEMU, so pid, terminal,
signals and exit code are QEMU's own.

A message is its length (4 bytes, little-endian) and JSON. The shim sends ``qemu``, ``argv``, ``cwd`` and
``ram`` (the number that the guest-RAM memfd has in this process), and with the length a descriptor of that
memfd. The host gives it a size and answers ``{"run": ARGV}``, ``{"untouched": true}`` or
``{"refused": SENTENCE}``.
"""

import fcntl
import json
import os
import signal
import socket
import struct
import sys
from pathlib import Path
from typing import Any

LENGTH = struct.Struct("<I")
FAILED = 1
REFUSED = 2
_FIRST_FREE = 3


def main(arguments: list[str]) -> int:
    """Become QEMU; a return value is the exit code of a QEMU that was not started."""
    path, qemu, locale, *argv = arguments
    _restore_what_python_changed(locale)
    ram = fcntl.fcntl(os.memfd_create("tracedbg-ram"), fcntl.F_DUPFD, _FIRST_FREE)
    try:
        answer = _ask(path, {"qemu": qemu, "argv": argv, "cwd": _cwd(), "ram": ram}, ram)
    except (OSError, ValueError) as error:
        return _fail(
            FAILED, f"the recorder that runs this command is gone ({path}: {error}); QEMU not started"
        )
    if "refused" in answer:
        return _fail(REFUSED, str(answer["refused"]))
    run = answer.get("run")
    if not isinstance(run, list):
        os.close(ram)
        run = argv
    return _become(qemu, run)


def send(connection: socket.socket, message: dict[str, Any], descriptor: int | None = None) -> None:
    """Send one message, with a descriptor if there is one to hand over."""
    body = json.dumps(message).encode()
    socket.send_fds(connection, [LENGTH.pack(len(body))], [] if descriptor is None else [descriptor])
    connection.sendall(body)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Receive one message and its descriptors; ValueError or OSError when none comes whole."""
    header, descriptors, _, _ = socket.recv_fds(connection, LENGTH.size, 1)
    try:
        (length,) = LENGTH.unpack(header + _read(connection, LENGTH.size - len(header)))
        message = json.loads(_read(connection, length))
        if not isinstance(message, dict):
            raise ValueError("not a message")
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return message, descriptors


def _ask(path: str, request: dict[str, Any], ram: int) -> dict[str, Any]:
    with socket.socket(socket.AF_UNIX) as host:
        host.connect(path)
        send(host, request, ram)
        answer, _ = receive(host)
    return answer


def _read(connection: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < length:
        part = connection.recv(length - len(data))
        if not part:
            raise ConnectionResetError("it closed the connection")
        data += part
    return data


def _cwd() -> str:
    try:
        return str(Path.cwd())
    except FileNotFoundError:
        return ""


def _restore_what_python_changed(locale: str) -> None:
    """Python ignores two signals, catches one and sets LC_CTYPE in a C locale; QEMU starts without that."""
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if not locale:
        os.environ.pop("LC_CTYPE", None)


def _become(qemu: str, argv: list[str]) -> int:
    try:
        os.execv(qemu, argv)
    except OSError as error:
        return _fail(FAILED, f"{qemu}: {error.strerror}")


def _fail(code: int, sentence: str) -> int:
    sys.stderr.write(f"tracedbg: {sentence}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
