"""Every kernel does in its recording what its declaration says."""

from collections.abc import Callable

import pytest

from tests.kernels.conftest import Run
from tests.kernels.damage import consumed, function_of, place_of, stores_to
from tests.kernels.variants import KERNELS, Fault, Kernel, Truth
from tracedbg.verify.verify import verify

pytestmark = pytest.mark.slow

HEALTHY = [kernel for kernel in KERNELS if kernel.truth is None]
BUGGY = [(kernel, kernel.truth) for kernel in KERNELS if kernel.truth is not None]
DAMAGED = [(kernel, truth) for kernel, truth in BUGGY if truth.writers]
MOST_INSTRUCTIONS = 20_000_000

RunOf = Callable[[Kernel], Run]


def names(rows: list[tuple[Kernel, Truth]]) -> list[str]:
    return [kernel.name for kernel, _ in rows]


@pytest.mark.parametrize("kernel", KERNELS, ids=lambda kernel: kernel.name)
def test_recording_is_proved_and_ends_as_declared(kernel: Kernel, kernel_run: RunOf) -> None:
    run = kernel_run(kernel)
    report = verify(run.path)

    assert report.passed, report.examples
    assert report.instructions < MOST_INSTRUCTIONS
    assert run.trace.console().text.splitlines()[-1] == kernel.last_line


@pytest.mark.parametrize(("kernel", "truth"), DAMAGED, ids=names(DAMAGED))
def test_declared_functions_store_to_the_victim(kernel: Kernel, truth: Truth, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace
    place = place_of(trace)
    stores = stores_to(trace, place.range, truth.writers)

    assert {function_of(trace, store) for store in stores} == set(truth.writers)
    for store in stores:
        assert store.virtual is not None
        below = store.virtual < place.stack_base
        assert below == (truth.fault is Fault.BELOW_STACK)


@pytest.mark.parametrize(("kernel", "truth"), DAMAGED, ids=names(DAMAGED))
def test_declared_functions_read_what_was_stored(kernel: Kernel, truth: Truth, kernel_run: RunOf) -> None:
    trace = kernel_run(kernel).trace
    place = place_of(trace)
    stores = stores_to(trace, place.range, truth.writers)
    loads = consumed(trace, place.range, {store.t for store in stores})

    assert {function_of(trace, load) for load in loads} >= set(truth.readers)
