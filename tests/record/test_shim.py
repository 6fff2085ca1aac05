"""The messages between a shim and the recorder."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tracedbg.record import shim


def test_a_message_arrives_whole_with_its_descriptor() -> None:
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    with ours, theirs:
        sent = {"argv": ["a", "\udcff", "x" * 100_000]}
        shim.send(ours, sent, writing)
        os.close(writing)
        received, descriptors = shim.receive(theirs)
        assert received == sent
        os.write(descriptors[0], b"same")
        assert os.read(reading, 9) == b"same"
    for descriptor in (reading, *descriptors):
        os.close(descriptor)


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", ConnectionResetError),
        (b"\x05\0", ConnectionResetError),
        (b"\x05\0\0\0{}", ConnectionResetError),
        (b"\x02\0\0\0[]", ValueError),
        (b"\x02\0\0\0{x", ValueError),
    ],
)
def test_a_broken_message_is_an_error_and_its_descriptor_is_closed(
    data: bytes, error: type[Exception]
) -> None:
    ours, theirs = socket.socketpair()
    reading, writing = os.pipe()
    with theirs:
        if data:
            socket.send_fds(ours, [data], [writing])
        ours.close()
        os.close(writing)
        with pytest.raises(error):
            shim.receive(theirs)
    assert os.read(reading, 1) == b""
    os.close(reading)


def test_the_shim_runs_alone_without_the_package(tmp_path: Path) -> None:
    """A broken package, environment and working folder cannot reach it."""
    (tmp_path / "json.py").write_text("raise SystemExit('wrong json')")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "c"))
    listener.listen()
    words = [
        sys.executable,
        "-I",
        "-S",
        shim.__file__,
        str(tmp_path / "c"),
        "/bin/echo",
        "",
        "name",
        "-a",
        "b",
    ]
    child = subprocess.Popen(
        words,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nowhere"},
        stdout=subprocess.PIPE,
    )
    connection, _ = listener.accept()
    with listener, connection:
        request, descriptors = shim.receive(connection)
        shim.send(connection, {"run": ["name", "-n", "recorded"]})
    out, _ = child.communicate(timeout=20)
    assert request == {
        "qemu": "/bin/echo",
        "argv": ["name", "-a", "b"],
        "cwd": str(tmp_path),
        "ram": request["ram"],
    }
    assert request["ram"] >= 3
    assert os.fstat(descriptors[0]).st_size == 0
    assert (child.returncode, out) == (0, b"recorded")
    os.close(descriptors[0])


def test_closed_standard_streams_are_not_taken_by_the_memfd(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "c"))
    listener.listen()
    words = [sys.executable, "-I", "-S", shim.__file__, str(tmp_path / "c"), "/bin/true", "", "name"]
    child = subprocess.Popen(["sh", "-c", 'exec "$@" <&-', "sh", *words])
    connection, _ = listener.accept()
    with listener, connection:
        request, descriptors = shim.receive(connection)
        shim.send(connection, {"untouched": True})
    assert child.wait(20) == 0
    assert request["ram"] >= 3
    os.close(descriptors[0])


def test_a_qemu_that_cannot_be_run_is_named(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "c"))
    listener.listen()
    words = [sys.executable, "-I", "-S", shim.__file__, str(tmp_path / "c"), "/nowhere/qemu", "", "name"]
    child = subprocess.Popen(words, stderr=subprocess.PIPE)
    connection, _ = listener.accept()
    with listener, connection:
        _, descriptors = shim.receive(connection)
        connection.sendall(shim.LENGTH.pack(2) + json.dumps({}).encode())
    _, err = child.communicate(timeout=20)
    assert (child.returncode, err) == (1, b"tracedbg: /nowhere/qemu: No such file or directory\n")
    os.close(descriptors[0])
