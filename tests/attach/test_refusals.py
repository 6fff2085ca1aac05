"""What stands in the way of a capture is said in one line."""

import socket
import threading
from pathlib import Path

import pytest

from tests.attach.stub_server import RISCV, SUPPORTED, Answer, stub
from tracedbg.cli.main import main


def refused(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 1) -> str:
    """Returns what is said on stderr, which is one line."""
    assert main(["attach", *arguments]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    lines = [line for line in shown.err.splitlines() if not line.startswith("Usage:")]
    assert len(lines) == 1, shown.err
    assert "Traceback" not in shown.err
    return lines[0]


def test_a_refused_connection(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        said = refused(capsys, f"127.0.0.1:{port}", "-o", str(tmp_path / "x.bin"))
    assert said == (
        f"tracedbg: 127.0.0.1:{port}: cannot connect: Connection refused; is a gdbstub listening there?"
    )
    assert not (tmp_path / "x.bin").exists()


def test_a_socket_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, f"unix:{tmp_path}/none", "-o", str(tmp_path / "x.bin"))
    assert "cannot connect: No such file or directory" in said


def test_a_host_that_has_no_name(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, "no-such-host.invalid:1234", "-o", str(tmp_path / "x.bin"))
    assert said.startswith("tracedbg: no-such-host.invalid:1234: cannot connect: ")
    assert said.endswith("; check the host's name")


@pytest.mark.parametrize("address", ["localhost", "localhost:99999", "unix:", ":x"])
def test_what_is_no_address(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    said = refused(capsys, address, code=2)
    assert "write HOST:PORT" in said or "write unix:PATH" in said


def answers(**given: bytes) -> Answer:
    """Answers by the first letters of a request; the rest with nothing, as a stub answers what it lacks."""
    table = {name.replace("_", ":").encode(): reply for name, reply in given.items()}

    def answer(request: bytes) -> bytes:
        return next((reply for name, reply in table.items() if request.startswith(name)), b"")

    return answer


def test_a_stub_of_another_architecture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = b"l<target><architecture>i386:x86-64</architecture></target>"
    with stub(tmp_path, answers(qSupported=SUPPORTED, qXfer=target)) as address:
        said = refused(capsys, address, "-o", str(tmp_path / "x.bin"))
    assert said == "tracedbg: the stub's guest is i386:x86-64: only riscv:rv64 guests can be captured"
    assert not (tmp_path / "x.bin").exists()


def test_a_stub_that_is_not_qemus(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with stub(tmp_path, answers(qSupported=b"PacketSize=1000")) as address:
        said = refused(capsys, address, "-o", str(tmp_path / "x.bin"))
    assert said == "tracedbg: what answers is no gdbstub of QEMU: it does not offer vCont"


def test_a_stub_without_the_registers_that_are_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cpu = b'l<feature><reg name="zero" bitsize="64"/><reg name="ra" bitsize="64"/></feature>'

    def answer(request: bytes) -> bytes:
        if request.startswith(b"qSupported"):
            return SUPPORTED
        return RISCV if b"target.xml" in request else cpu if request.startswith(b"qXfer") else b""

    with stub(tmp_path, answer) as address:
        said = refused(capsys, address, "-o", str(tmp_path / "x.bin"))
    assert said == "tracedbg: the stub does not number its registers as QEMU does"


def test_a_stub_that_hangs_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with stub(tmp_path, lambda _: None) as address:
        said = refused(capsys, address, "-o", str(tmp_path / "x.bin"))
    assert said == "tracedbg: the stub has hung up: its QEMU has ended"


def test_a_server_that_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tracedbg.gdb.capture.stub.REPLY_SECONDS", 0.3)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent"))
        listener.listen()
        said = refused(capsys, f"unix:{tmp_path}/silent", "-o", str(tmp_path / "x.bin"))
    assert said == (
        "tracedbg: the stub does not answer within 0.3 s: is a gdbstub there, with no other debugger?"
    )


def test_a_server_of_something_else(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "web"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            peer, _ = listener.accept()
            with peer:
                peer.recv(100)
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\nServer: $x#00\r\n\r\n")
                peer.recv(100)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        said = refused(capsys, f"unix:{path}", "-o", str(tmp_path / "x.bin"))
        assert said == "tracedbg: what answers is no gdbstub: its checksum is wrong"


@pytest.mark.parametrize("reply", [b"+", b"x", b"l", b"m" + b"A" * 4096 + b"*", b"E01", b"OK", b"zz"])
def test_nonsense_is_never_a_traceback(
    reply: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(request: bytes, count: list[int] = []) -> bytes | None:  # noqa: B006 - counts requests
        count.append(1)
        if len(count) > 400:
            return None
        return SUPPORTED if request.startswith(b"qSupported") else reply

    with stub(tmp_path, answer) as address:
        refused(capsys, address, "-o", str(tmp_path / "x.bin"))


def test_a_file_that_is_no_elf(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "notes").write_text("no symbols")
    said = refused(capsys, ":1", "--symbols", str(tmp_path / "notes"))
    assert f"{tmp_path}/notes" in said
