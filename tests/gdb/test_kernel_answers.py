"""What the kernel's view adds for gdb: the shipped case's finding, and the task of a hart."""

from pathlib import Path

import tracedbg
from tracedbg.gdb.execution import Execution
from tracedbg.gdb.kernel_answers import served_with_kernel
from tracedbg.ids import Time

SHIPPED = Path(__file__).parents[2] / "traces/stack_futex.bin"
GUILTY = 14_409_298
"""The store that ruins the timeout."""


def test_monitor_findings_tells_the_case() -> None:
    with tracedbg.open(SHIPPED) as trace:
        served = served_with_kernel(trace, Time(trace.end - 1))
        commands = {command.name: command for command in served.commands}
        told = commands["findings"].run(Execution(trace, served.t), "")
        assert "[stack-underflow]" in told
        assert f"At t {GUILTY:,}" in told
        assert commands["findings"].run(Execution(trace, served.t), "") == told


def test_a_thread_names_the_task_that_its_hart_works_for() -> None:
    with tracedbg.open(SHIPPED) as trace:
        [note] = served_with_kernel(trace, Time(trace.end - 1)).notes
        assert note(trace.at(GUILTY)) == "task 5"
        assert note(trace.at(0)) == ""
