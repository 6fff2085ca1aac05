"""Each kernel is built and recorded once in a session, when it is first asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import tracedbg
from tests.kernels.build import Built, build, record
from tests.kernels.variants import Kernel
from tracedbg.state import Trace


@dataclass(frozen=True)
class Run:
    """A recorded run of a kernel, opened with the kernel's symbols."""

    built: Built
    path: Path
    trace: Trace


@pytest.fixture(scope="session")
def kernel_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Kernel], Run]]:
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
