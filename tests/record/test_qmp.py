"""QMP spoken with a real QEMU, and with what only pretends to be one."""

import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tracedbg.arch.memory_map import parse_memory_map
from tracedbg.errors import RecordError
from tracedbg.record import qmp

QEMU = Path("/usr/bin/qemu-system-riscv64")
GREETING = {"QMP": {"version": {"qemu": {"major": 9, "minor": 2, "micro": 1}}, "capabilities": []}}


@contextmanager
def running(folder: Path, *words: str) -> Iterator[qmp.Qmp]:
    argv = [str(QEMU), "-display", "none", "-serial", "none", "-monitor", "none", "-S", *words]
    with qmp.QmpListener(folder / "q") as listener:
        child = subprocess.Popen(
            [*argv, "-chardev", f"socket,id=q,path={folder}/q", "-mon", "chardev=q,mode=control"],
            stdin=subprocess.DEVNULL,
        )
        try:
            with listener.accept(20) as client:
                yield client
        finally:
            child.kill()
            child.wait()


@contextmanager
def pretending(*replies: object) -> Iterator[qmp.Qmp]:
    """A peer that greets, then answers each command with the next of ``replies`` (a list: several lines)."""
    ours, theirs = socket.socketpair()

    def serve() -> None:
        with theirs, theirs.makefile("rwb") as stream:
            for reply in [GREETING, {"return": {}}, *replies]:
                lines = reply if isinstance(reply, list) else [reply]
                stream.write(b"".join(json.dumps(line).encode() + b"\r\n" for line in lines))
                stream.flush()
                if not stream.readline():
                    break

    peer = threading.Thread(target=serve)
    peer.start()
    try:
        with qmp.Qmp(ours, timeout=5) as client:
            yield client
    finally:
        peer.join()


@pytest.mark.slow
def test_the_memory_map_of_virt_has_its_ram_rom_and_devices(tmp_path: Path) -> None:
    backend = "memory-backend-ram,id=mine,size=256M"
    with running(tmp_path, "-M", "virt,memory-backend=mine", "-object", backend, "-m", "256M") as client:
        ranges = client.memory_map("mine")
        assert client.version == qmp.qemu_version(QEMU)
    found = {(part.kind, part.name): (part.start, part.size, part.offset) for part in ranges}
    assert found["ram", "mine"] == (0x8000_0000, 256 << 20, 0)
    assert found["rom", "riscv_virt_board.mrom"] == (0x1000, 0xF000, 0)
    assert found["rom", "virt.flash0"] == (0x2000_0000, 32 << 20, 0)
    assert found["device", "serial"] == (0x1000_0000, 8, 0)
    assert [part.start for part in ranges] == sorted(part.start for part in ranges)


@pytest.mark.slow
def test_ram_that_is_split_and_seen_twice_tells_its_offsets(tmp_path: Path) -> None:
    words = ["-M", "microchip-icicle-kit,memory-backend=m", "-object", "memory-backend-ram,id=m,size=2G"]
    elf = tmp_path / "kernel"
    elf.write_bytes(b"\x13\0\0\0")
    with running(tmp_path, *words, "-m", "2G", "-bios", "none", "-kernel", str(elf)) as client:
        ranges = client.memory_map("m")
    gib = 1 << 30
    assert [(part.start, part.size, part.offset) for part in ranges if part.kind == "ram"] == [
        (0x8000_0000, gib, 0),
        (0xC000_0000, gib, 0),
        (0x10_0000_0000, gib, gib),
        (0x14_0000_0000, gib, gib),
    ]


@pytest.mark.slow
def test_a_machine_that_leaves_the_backend_unused_is_refused(tmp_path: Path) -> None:
    with running(tmp_path, "-M", "virt") as client, pytest.raises(RecordError) as refusal:
        client.memory_map()
    assert str(refusal.value) == (
        "this machine does not take its RAM from -machine memory-backend, so it cannot be recorded: use"
        " another -machine (virt, spike, sifive_u)"
    )


@pytest.mark.slow
def test_events_are_gathered_with_their_reasons_up_to_the_end(tmp_path: Path) -> None:
    with running(tmp_path, "-M", "virt") as client:
        client.execute("system_reset")
        reset = client.wait_for("RESET", 10)
        assert reset is not None
        assert reset.data == {"guest": False, "reason": "host-qmp-system-reset"}
        client.execute("quit")
        client.poll(10)
        assert client.closed
        assert [event.name for event in client.events][-1] == "SHUTDOWN"
        assert client.events[-1].data["reason"] == "host-qmp-quit"
        with pytest.raises(RecordError, match=r"^QMP cont: QEMU has ended$"):
            client.execute("cont")
        assert client.wait_for("RESUME", 10) is None


@pytest.mark.slow
def test_a_command_that_qemu_refuses_carries_its_sentence(tmp_path: Path) -> None:
    with running(tmp_path, "-M", "virt") as client:
        with pytest.raises(RecordError, match=r"^QMP nonsense: The command nonsense has not been found$"):
            client.execute("nonsense")
        assert client.human("info status") == "VM status: paused (prelaunch)\r\n"


def test_an_event_between_a_command_and_its_reply_is_gathered() -> None:
    event = {"event": "STOP", "timestamp": {"seconds": 2, "microseconds": 500_000}}
    with pretending([event, {"return": 5}]) as client:
        assert client.execute("x") == 5
        assert client.events == [qmp.Event("STOP", {}, 2.5)]


def test_a_peer_that_is_not_qemu_is_told_so() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(b'{"hello": 1}\n')
        with pytest.raises(RecordError, match=r"^what connected to the QMP socket is not QEMU$"):
            qmp.Qmp(ours)
    ours.close()


@pytest.mark.parametrize("said", [b"", json.dumps(GREETING).encode() + b"\n"], ids=["nothing", "a greeting"])
def test_a_qemu_that_ends_once_it_has_connected_is_no_stranger(said: bytes) -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        theirs.sendall(said)
    with ours, pytest.raises(qmp.QemuEndedError):
        qmp.Qmp(ours)


def test_a_qemu_that_does_not_come_ends_the_wait(tmp_path: Path) -> None:
    with qmp.QmpListener(tmp_path / "q") as listener:
        with pytest.raises(RecordError, match=r"^QEMU did not open its QMP socket within 0.01 s$"):
            listener.accept(0.01)
        child = subprocess.Popen(["true"])
        with os.fdopen(os.pidfd_open(child.pid)) as ended, pytest.raises(qmp.QemuEndedError):
            listener.accept(20, ended.fileno())
        child.wait()


def test_only_the_view_of_the_cpus_is_taken_from_mtree() -> None:
    text = (
        'FlatView #0\n AS "I/O", root: io\n  0000000000000000-000000000000ffff (prio 0, i/o): io\n\n'
        'FlatView #1\n AS "memory", root: system\n AS "cpu-memory-0", root: system\n'
        "  0000000000001000-0000000000001fff (prio 0, romd): flash A @0000000000000800\n"
        "  0000000000002000-0000000000002fff (prio -5, i/o): uart\n"
        "  0000000080000000-00000000800fffff (prio 0, ram): m KVM\n"
        "  0000000090000000-00000000900fffff (prio 1, ram): m @0000000000100000\n"
        "  00000000a0000000-00000000a00fffff (prio 1, nv-ram): vga\n"
    )
    assert [(r.start, r.size, r.kind, r.name, r.offset) for r in parse_memory_map(text, "m")] == [
        (0x1000, 0x1000, "rom", "flash A", 0x800),
        (0x2000, 0x1000, "device", "uart", 0),
        (0x8000_0000, 0x10_0000, "ram", "m", 0),
        (0x9000_0000, 0x10_0000, "ram", "m", 0x10_0000),
        (0xA000_0000, 0x10_0000, "memory", "vga", 0),
    ]
    assert parse_memory_map("nothing", "m") == ()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "size"),
    [
        ([], 128 << 20),
        (["-M", "virt,accel=tcg", "-nographic", "-kernel", "nowhere"], 128 << 20),
        (["-m", "256"], 256 << 20),
        (["-M", "virt", "-m", "size=1G,slots=1,maxmem=2G"], 1 << 30),
        (["-M", "sifive_e"], 16 << 10),
    ],
)
def test_the_size_of_ram_is_what_qemu_would_take(words: list[str], size: int, tmp_path: Path) -> None:
    assert qmp.default_ram_bytes(QEMU, ["qemu-system-riscv64", *words], tmp_path) == size


@pytest.mark.slow
def test_a_machine_that_qemu_does_not_know_keeps_its_message(tmp_path: Path) -> None:
    with pytest.raises(qmp.QemuEndedError) as refusal:
        qmp.default_ram_bytes(QEMU, ["qemu-system-riscv64", "-M", "vrit"], tmp_path)
    assert refusal.value.message == (
        'qemu-system-riscv64: unsupported machine type: "vrit"\nUse -machine help to list supported machines'
    )


def fake_qemu(folder: Path, says: str) -> Path:
    path = folder / "qemu-system-riscv64"
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_a_qemu_that_is_too_old_is_named_with_its_version(tmp_path: Path) -> None:
    old = fake_qemu(tmp_path, "QEMU emulator version 9.1.50 (v9.1)")
    assert qmp.qemu_version(old) == (9, 1, 50)
    with pytest.raises(RecordError) as refusal:
        qmp.require_version(old)
    assert str(refusal.value) == (
        f"{old} is version 9.1.50; recording needs 9.2 or later (its plugins see memory values): install a"
        " newer one, or use `tracedbg attach` with QEMU's gdbstub"
    )


def test_the_oldest_version_is_enough_and_a_program_without_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    qmp.require_version(fake_qemu(tmp_path, "QEMU emulator version 9.2.0"))
    other = fake_qemu(tmp_path / "other", "hello")
    with pytest.raises(RecordError) as refusal:
        qmp.require_version(other)
    assert str(refusal.value) == f"{other} --version: no QEMU version in what it prints"
