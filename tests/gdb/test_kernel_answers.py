"""What the kernel's view adds for gdb: the shipped case's finding, and the task of a hart."""

from pathlib import Path

import pytest

import tracedbg
from tracedbg.gdb import kernel_answers
from tracedbg.gdb.execution import Execution
from tracedbg.gdb.kernel_answers import served_with_kernel
from tracedbg.gdb.monitor import BUILT_IN, Monitor
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


def test_monitor_tasks_names_them_all_and_who_runs_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_answers, "TOLD_AT_ONCE", 0)
    with tracedbg.open(SHIPPED) as trace:
        served = served_with_kernel(trace, Time(GUILTY))
        [note] = served.notes
        assert note(trace.at(GUILTY)) == "", "a long trace: only when asked for"
        commands = {command.name: command for command in served.commands}
        *tasks, now = commands["tasks"].run(Execution(trace, served.t), "").splitlines()
        assert len(tasks) == len(trace.kernel.tasks)
        assert now == "hart 0 now works for task 5"
        [fifth] = [line for line in tasks if line.startswith("task 5: ")]
        [task] = [task for task in trace.kernel.tasks if task.number == 5]
        assert task.stack is not None
        assert f"t {task.first:,} to {task.last:,}" in fifth
        assert f"stack below {task.stack.top:x}" in fifth
        assert note(trace.at(GUILTY)) == "task 5"


def test_a_register_may_be_written_as_gdb_writes_it() -> None:
    with tracedbg.open(SHIPPED) as trace:
        execution = Execution(trace, Time(GUILTY))
        monitor = Monitor(BUILT_IN)
        for question in ("who sp+8:8", "translate sp", "why a0"):
            assert monitor.run(execution, question.replace("sp", "$sp").replace("a0", "$a0")) == monitor.run(
                execution, question
            )
