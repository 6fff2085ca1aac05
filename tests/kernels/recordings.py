"""Recordings of the kernels for all tests: each is made once in a session, when it is first asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tracedbg
from tests.kernels.build import Built, build, record
from tests.kernels.variants import Kernel
from tracedbg.session.trace import Trace


@dataclass(frozen=True)
class Run:
    """A recorded run of a kernel, opened with the kernel's symbols."""

    built: Built
    path: Path
    trace: Trace


RunOf = Callable[[Kernel], Run]


@pytest.fixture(scope="session")
def kernel_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunOf]:
    runs: dict[str, Run] = {}

    def run_of(kernel: Kernel) -> Run:
        if kernel.name not in runs:
            folder = tmp_path_factory.mktemp(kernel.name)
            built = build(kernel, folder)
            path = record(built, folder / f"{kernel.name}.bin")
            runs[kernel.name] = Run(built, path, tracedbg.open(path, symbols=[built.symbols]))
        return runs[kernel.name]

    yield run_of
    for run in runs.values():
        run.trace.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all tests of a kernel on one worker (``--dist loadgroup``), which builds and records it once."""
    for item in items:
        call = getattr(item, "callspec", None)
        kernel = None if call is None else call.params.get("kernel")
        if isinstance(kernel, Kernel):
            item.add_marker(pytest.mark.xdist_group(kernel.name))
