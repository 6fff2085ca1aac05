"""What the kernel's view adds to a gdb session: findings, and the task of each hart."""

from tracedbg.detect.analysis import analyze
from tracedbg.detect.plugins import find_plugins
from tracedbg.detect.report import report
from tracedbg.gdb.execution import Execution
from tracedbg.gdb.monitor import BUILT_IN, MonitorCommand
from tracedbg.gdb.server import Served
from tracedbg.ids import Hart, Time
from tracedbg.kernel.tasks import Task
from tracedbg.session.trace import Trace as WholeTrace
from tracedbg.session.trace import kernel_of
from tracedbg.state import Moment, Trace

TOLD_AT_ONCE = 24_000_000
"""Instructions of a trace whose tasks are told without having been asked for.

A pass takes some seconds, and a gdb that nothing else was told waits for six.
"""


class KernelAnswers:
    """Answers about one trace; the analysis runs when it is first asked for."""

    def __init__(self, trace: Trace) -> None:
        self._kernel = trace.kernel if isinstance(trace, WholeTrace) else kernel_of(trace)
        self._is_short = trace.end - trace.start <= TOLD_AT_ONCE
        self._report: str | None = None

    def findings(self, _: Execution, __: str) -> str:
        """Say what went wrong, as ``tracedbg analyze`` does."""
        if self._report is None:
            self._report = report(analyze(self._kernel, find_plugins()))
        return self._report

    def tasks(self, execution: Execution, _: str) -> str:
        """List the tasks in order of first run, and which one each hart works for now."""
        lines = [_line(task) for task in self._kernel.tasks] or ["no stack was seen that a task could have"]
        for hart in map(Hart, range(execution.trace.store.guest.harts)):
            now = self._kernel.task_at(hart, execution.t)
            lines.append(f"hart {hart} now works for {'no task that is known' if now is None else now.text}")
        return "\n".join(lines)

    def task(self, moment: Moment) -> str:
        """Return the task of a hart; nothing where only a pass over a long trace would tell."""
        if not self._is_short and not self._kernel.is_made("history"):
            return ""
        found = self._kernel.task_at(moment.hart, moment.t)
        return "" if found is None else found.text


def _line(task: Task) -> str:
    stack = "" if task.stack is None else f", stack below {task.stack.top:x}"
    space = "" if task.root is None else f", page tables at {task.root:x}"
    idle = " (idle)" if task.is_idle else ""
    return f"{task.text}{idle}: t {task.first:,} to {task.last:,}, {task.time:,} instructions{stack}{space}"


def served_with_kernel(trace: Trace, t: Time) -> Served:
    """Return a trace to be served, with what the kernel's view adds."""
    answers = KernelAnswers(trace)
    findings = MonitorCommand(
        "findings", "", "what went wrong; a long trace takes a minute or more at first", answers.findings
    )
    tasks = MonitorCommand(
        "tasks", "", "the tasks that ran; on a long trace info threads names them from then on", answers.tasks
    )
    return Served(trace, t, commands=(*BUILT_IN, tasks, findings), notes=(answers.task,))
