"""The detectors of fatal traps and guard pages against what the kernels' declarations say."""

import pytest

from tests.kernels.recordings import RunOf
from tests.kernels.variants import FATAL, GUARD, KERNELS, Fault, Kernel
from tracedbg.detect import Certainty, Finding, Severity
from tracedbg.detect.plugins import find_plugins
from tracedbg.kernel.view import KernelView

pytestmark = pytest.mark.slow

HEALTHY = [kernel for kernel in KERNELS if kernel.truth is None]
TRAPPED = [kernel for kernel in KERNELS if kernel.truth is not None and kernel.truth.trap is not None]
BY_VALUE = [kernel for kernel in TRAPPED if kernel.truth and kernel.truth.fault is not Fault.GUARD]
DEAD = [kernel for kernel in KERNELS if kernel.truth is not None and kernel.truth.fault is Fault.VECTOR]
ASLEEP = [kernel for kernel in KERNELS if kernel.truth is not None and kernel.truth.fault is Fault.SLEEP]
HUNG = [kernel for kernel in KERNELS if kernel.truth is not None and kernel.truth.fault is Fault.HANG]
GUARDED = [kernel for kernel in KERNELS if kernel.truth is not None and GUARD in kernel.truth.detectors]
UNGUARDED = [kernel for kernel in KERNELS if kernel.truth is None or GUARD not in kernel.truth.detectors]


def name_of(kernel: Kernel) -> str:
    return kernel.name


def findings(name: str, kernel: Kernel, kernel_run: RunOf) -> list[Finding]:
    view = KernelView(kernel_run(kernel).trace)
    (plugin,) = find_plugins([name])
    detector = plugin.load()
    return [item for item in detector.run(view) if isinstance(item, Finding)]


def told(found: list[Finding]) -> list[Finding]:
    return [finding for finding in found if finding.severity is not Severity.INFO]


@pytest.mark.parametrize("kernel", HEALTHY, ids=name_of)
def test_a_kernel_in_order_has_nothing_above_a_remark(kernel: Kernel, kernel_run: RunOf) -> None:
    for name in (FATAL, GUARD):
        found = findings(name, kernel, kernel_run)
        assert {finding.severity for finding in found} <= {Severity.INFO}


@pytest.mark.parametrize("kernel", TRAPPED, ids=name_of)
def test_the_trap_that_ends_a_kernel_is_found(kernel: Kernel, kernel_run: RunOf) -> None:
    assert kernel.truth is not None
    assert FATAL in kernel.truth.detectors or kernel in GUARDED
    (found,) = told(findings(FATAL, kernel, kernel_run))
    assert found.severity is Severity.ERROR
    trace = kernel_run(kernel).trace
    trap = trace.at(found.t).trap
    assert trap is not None
    assert trap.cause == kernel.truth.trap


@pytest.mark.parametrize("kernel", BY_VALUE, ids=name_of)
def test_the_store_that_ruined_what_a_trap_came_from_is_named(kernel: Kernel, kernel_run: RunOf) -> None:
    assert kernel.truth is not None
    (found,) = told(findings(FATAL, kernel, kernel_run))
    assert found.writer is not None
    assert found.writer.code.symbol is not None
    assert found.writer.code.symbol.partition("+")[0] in kernel.truth.writers


@pytest.mark.parametrize("kernel", HUNG, ids=name_of)
def test_a_hang_lists_who_waits_since_when(kernel: Kernel, kernel_run: RunOf) -> None:
    (found,) = findings(FATAL, kernel, kernel_run)
    assert (found.severity, found.certainty) == (Severity.INFO, Certainty.LIKELY)
    assert "hart 0 waits for interrupts, all of which are disabled," in found.title
    waiting = [item for item in found.chain if item.role == "waiting"]
    assert len(waiting) == 2
    assert all("wait_for" in item.text for item in waiting)


@pytest.mark.parametrize("kernel", ASLEEP, ids=name_of)
def test_who_sleeps_for_ever_is_listed_in_a_remark(kernel: Kernel, kernel_run: RunOf) -> None:
    (found,) = findings(FATAL, kernel, kernel_run)
    assert (found.severity, found.certainty) == (Severity.INFO, Certainty.POSSIBLE)
    waiting = [item.text for item in found.chain if item.role == "waiting"]
    assert len(waiting) == 2
    assert any("sleep" in text and "pipe_receive" in text for text in waiting)


@pytest.mark.parametrize("kernel", DEAD, ids=name_of)
def test_a_trap_vector_that_cannot_be_fetched_is_told_with_who_unmapped_it(
    kernel: Kernel, kernel_run: RunOf
) -> None:
    assert kernel.truth is not None
    trace = kernel_run(kernel).trace
    (found,) = findings(FATAL, kernel, kernel_run)
    vector = trace.at(trace.end).registers["stvec"]
    assert (found.severity, found.certainty) == (Severity.ERROR, Certainty.CERTAIN)
    assert f"trap vector {vector:#x}" in found.title
    assert found.t == trace.end - 1
    writers = (
        {found.writer.code.symbol.partition("+")[0]} if found.writer and found.writer.code.symbol else set()
    )
    assert writers == set(kernel.truth.writers)


@pytest.mark.parametrize("kernel", GUARDED, ids=name_of)
def test_a_stack_that_was_used_up_is_found(kernel: Kernel, kernel_run: RunOf) -> None:
    assert kernel.truth is not None
    (found,) = findings(GUARD, kernel, kernel_run)
    caught = kernel.truth.fault is Fault.GUARD
    assert found.severity is (Severity.ERROR if caught else Severity.WARNING)
    assert found.stack is not None
    assert found.stack.base is not None
    assert (found.stack.lowest_sp < found.stack.base) == caught


@pytest.mark.parametrize("kernel", UNGUARDED, ids=name_of)
def test_a_stack_with_room_is_not_accused(kernel: Kernel, kernel_run: RunOf) -> None:
    assert not findings(GUARD, kernel, kernel_run)
