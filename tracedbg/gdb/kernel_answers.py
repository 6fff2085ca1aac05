"""What the kernel's view adds to a gdb session: findings, and the task of each hart."""

from tracedbg.detect.analysis import analyze
from tracedbg.detect.plugins import find_plugins
from tracedbg.detect.report import report
from tracedbg.gdb.execution import Execution
from tracedbg.gdb.monitor import BUILT_IN, MonitorCommand
from tracedbg.gdb.server import Served
from tracedbg.ids import Time
from tracedbg.session.trace import Trace as WholeTrace
from tracedbg.session.trace import kernel_of
from tracedbg.state import Moment, Trace

TOLD_AT_ONCE = 64 << 20
"""Instructions of a trace whose tasks are told without having been asked for: a pass takes some seconds."""


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

    def task(self, moment: Moment) -> str:
        """Return the task of a hart; nothing where only a pass over a long trace would tell."""
        if not self._is_short and not self._kernel.is_made("history"):
            return ""
        found = self._kernel.task_at(moment.hart, moment.t)
        return "" if found is None else found.text


def served_with_kernel(trace: Trace, t: Time) -> Served:
    """Return a trace to be served, with what the kernel's view adds."""
    answers = KernelAnswers(trace)
    command = MonitorCommand(
        "findings", "", "what went wrong; a long trace takes a minute or more at first", answers.findings
    )
    return Served(trace, t, commands=(*BUILT_IN, command), notes=(answers.task,))
