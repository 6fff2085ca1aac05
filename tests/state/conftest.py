"""A recorded run of tests/state/guest with timer interrupts, shared by the tests of this folder."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg
from tests.state.runs import build_guest, record
from tracedbg.state import Trace


@pytest.fixture(scope="session")
def guest_elf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_guest(tmp_path_factory.mktemp("guest") / "guest.elf", "-O2", interval=30)


@pytest.fixture(scope="session")
def guest_path(guest_elf: Path) -> Path:
    return record(guest_elf, guest_elf.with_name("guest.bin"))


@pytest.fixture(scope="session")
def guest_trace(guest_path: Path, guest_elf: Path) -> Iterator[Trace]:
    with tracedbg.open(guest_path, symbols=[guest_elf]) as trace:
        yield trace
