"""Clients that vanish, flood or never listen do no harm to the next one."""

import socket
import threading
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.building.machine import DEVICE_START
from tests.gdb.client import Client
from tests.gdb.conftest import served
from tracedbg.gdb import conversation, execution, transport
from tracedbg.gdb.framing import Mark, frame
from tracedbg.gdb.search import Search
from tracedbg.gdb.transport import Address, Tcp, Unix
from tracedbg.state import Trace


def is_served(address: Address) -> bool:
    with Client(address) as client:
        return client.ask("?").startswith("T05")


@pytest.mark.parametrize(
    "part", [b"$", b"$m8020", b"$m80201d3a,10#", b"$m80201d3a,10#f", b"\x03", b"%", b"+++"]
)
def test_a_client_that_hangs_up_in_the_middle_of_a_packet(shipped_address: Address, part: bytes) -> None:
    with Client(shipped_address) as client:
        client.raw(part)
    assert is_served(shipped_address)


def test_a_client_that_floods_and_never_reads(
    shipped: Trace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "SEND_SECONDS", 0.5)
    with served(shipped, 0, Unix(tmp_path / "flooded")) as address:
        assert isinstance(address, Unix)
        with socket.socket(socket.AF_UNIX) as flooding:
            flooding.connect(str(address.path))
            flooding.settimeout(0.2)
            sent = 0
            while sent < 64 << 20:
                try:
                    sent += flooding.send(frame(b"m1000,20") * 4000)
                except (TimeoutError, BrokenPipeError, ConnectionResetError):
                    break
            # The server has stopped reading, or has hung up: it does not keep what it cannot answer.
            assert sent < 64 << 20
            assert is_served(address)


def test_a_client_that_floods_and_reads(shipped_address: Address) -> None:
    with Client(shipped_address) as client:
        client.ask("QStartNoAckMode")
        count = 3000
        sender = threading.Thread(target=client.raw, args=(frame(b"?") * count,))
        sender.start()
        replies = {client.packet() for _ in range(count)}
        sender.join()
        assert len(replies) == 1


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(st.binary(max_size=40), st.binary(max_size=30).map(frame)), max_size=20))
def test_any_bytes_leave_a_server_that_answers(harts_address: Address, parts: list[bytes]) -> None:
    with Client(harts_address) as client:
        client.raw(b"".join(parts))
    assert is_served(harts_address)


def test_ctrl_c_ends_a_long_search(harts: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    class Slow(Search):
        def _touch(self, *arguments: object) -> None:
            while True:
                time.sleep(0.01)
                self.check(harts.start)

    monkeypatch.setattr(execution, "Search", Slow)
    with served(harts, harts.start, Tcp("127.0.0.1", 0)) as address, Client(address) as client:
        assert client.ask("Qqemu.PhyMemMode:1") == "OK"
        assert client.ask(f"Z4,{DEVICE_START:x},4") == "OK"
        client.send("vCont;c")
        client.raw(Mark.INTERRUPT.value)
        assert client.packet().startswith("T02")
        client.send("vCont;c")
        client.send("qC")
        client.raw(Mark.INTERRUPT.value)
        assert client.packet().startswith("T02")
        assert client.packet().startswith("QC")
        client.send("vCont;c")
        # The one who left while his search went on holds nobody up.
        client.connection.close()
        assert is_served(address)


def test_ctrl_c_between_two_runs_ends_the_next_one_but_not_a_later_one(
    harts: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(harts, harts.start, Tcp("127.0.0.1", 0)) as address, Client(address) as client:
        assert client.ask("Z1,1234,4") == "OK"
        client.raw(Mark.INTERRUPT.value)
        assert client.ask("vCont;c").startswith("T02")
        assert client.ask("vCont;c").startswith("T05")
        monkeypatch.setattr(conversation, "LATE_SECONDS", 0.0)
        client.raw(Mark.INTERRUPT.value)
        assert client.ask("bc").startswith("T05")
