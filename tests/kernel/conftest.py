from collections.abc import Iterator
from pathlib import Path

import pytest

import tracedbg
from tests.session.program import Program, run_program, write_program
from tracedbg.kernel.view import KernelView
from tracedbg.session.trace import Trace

SHIPPED = Path(__file__).parents[2] / "traces"


@pytest.fixture(scope="session")
def program() -> Program:
    return run_program()


@pytest.fixture(scope="session")
def program_view(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KernelView]:
    path = tmp_path_factory.mktemp("program") / "program.bin"
    write_program(program, path)
    with tracedbg.open(path) as trace:
        yield trace.kernel


@pytest.fixture(scope="session")
def failing() -> Iterator[Trace]:
    with tracedbg.open(SHIPPED / "stack_futex.bin") as trace:
        yield trace


@pytest.fixture(scope="session")
def view(failing: Trace) -> KernelView:
    return failing.kernel
