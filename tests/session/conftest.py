from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg
from tests.session.program import Program, run_program, write_program
from tracedbg.session import Session
from tracedbg.state import Trace


@pytest.fixture(scope="session")
def program() -> Program:
    return run_program()


@pytest.fixture(scope="session")
def program_path(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "program.bin"
    write_program(program, path)
    return path


@pytest.fixture
def trace(program_path: Path) -> Iterator[Trace]:
    with tracedbg.open(program_path) as opened:
        yield opened


@pytest.fixture
def session(trace: Trace) -> Session:
    return Session(trace, at=trace.position(0))
