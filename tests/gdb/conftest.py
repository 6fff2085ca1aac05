"""A served trace: the random machine's history, and the program that the session's tests use."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import tracedbg
from tests.building.machine import Machine
from tests.building.tracefile import write_trace
from tracedbg.gdb.server import Served, serve
from tracedbg.gdb.transport import Address, Listener, Tcp, Unix
from tracedbg.ids import Time
from tracedbg.state import Trace

SHIPPED = Path(__file__).parents[2] / "traces" / "stack_futex.bin"


@contextmanager
def served(trace: Trace, t: int, address: Address) -> Iterator[Address]:
    """Serve a trace from moment t on in a thread; yields where."""
    with Listener(address) as listener:
        thread = threading.Thread(target=serve, args=(Served(trace, Time(t)), listener))
        thread.start()
        try:
            yield listener.address
        finally:
            listener.stop()
            thread.join()


def last_stop(trace: Trace) -> Time:
    """The last moment at which gdb can stop."""
    return Time(trace.end if trace.at("end").pc is not None else trace.end - 1)


@pytest.fixture(scope="session")
def shipped() -> Iterator[Trace]:
    with tracedbg.open(SHIPPED) as trace:
        yield trace


@pytest.fixture
def shipped_address(shipped: Trace, tmp_path: Path) -> Iterator[Address]:
    with served(shipped, shipped.position("sys_futex"), Unix(tmp_path / "socket")) as address:
        yield address


@pytest.fixture
def harts(tmp_path: Path) -> Iterator[Trace]:
    """A history of three harts."""
    write_trace(Machine(11, 3).run(9, 5), tmp_path / "machine.bin")
    with tracedbg.open(tmp_path / "machine.bin") as trace:
        yield trace


@pytest.fixture
def harts_address(harts: Trace) -> Iterator[Address]:
    with served(harts, harts.start, Tcp("127.0.0.1", 0)) as address:
        yield address
