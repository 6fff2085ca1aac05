"""A process whose program replaces its address space, in page tables that were in use before, is one task."""

import pytest

from tests.kernels.recordings import RunOf
from tests.kernels.variants import KERNELS
from tracedbg.kernel.view import KernelView

pytestmark = pytest.mark.slow

PROGRAMS = next(kernel for kernel in KERNELS if kernel.name == "trampoline_programs")


@pytest.mark.xdist_group(PROGRAMS.name)
def test_each_process_is_a_task_with_the_stack_that_it_has(kernel_run: RunOf) -> None:
    view = KernelView(kernel_run(PROGRAMS).trace)
    stacks = [task.stack for task in view.tasks]

    assert len(stacks) == 4
    assert None not in stacks
    assert len({stack.top for stack in stacks if stack is not None}) == 4
