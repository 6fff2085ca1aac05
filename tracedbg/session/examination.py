"""Goes through a whole trace for the kernel's history, and then for what went wrong in it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from tracedbg.detect.analysis import Analysis, analyze
from tracedbg.detect.finding import Severity
from tracedbg.detect.plugins import find_plugins
from tracedbg.errors import TracedbgError
from tracedbg.ids import Time
from tracedbg.kernel.frame_accesses import FrameAccesses
from tracedbg.kernel.history import Progress
from tracedbg.kernel.view import KernelView
from tracedbg.query.accesses import Range
from tracedbg.session.running_context import Check, go_on
from tracedbg.session.trace import kernel_of
from tracedbg.state import Trace

AT_ONCE = 250_000_000
"""Traces of at most so many instructions are examined without being asked to: it takes some 100 ns each."""


class Stage(Enum):
    """How far an examination is."""

    WAITING = "waiting"
    READING = "reading"
    DETECTING = "detecting"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True)
class Examination:
    """What is known of a kernel so far.

    ``task`` says what is going on; ``share`` of it is done while READING. ``view`` is None until its history
    is ready; ``analysis`` is there when DONE, ``problem`` when FAILED.
    """

    stage: Stage = Stage.WAITING
    task: str = ""
    share: float = 0.0
    view: KernelView | None = None
    analysis: Analysis | None = None
    problem: str = ""

    @property
    def is_running(self) -> bool:
        """Whether a thread is at work on it."""
        return self.stage in (Stage.READING, Stage.DETECTING)

    @property
    def summary(self) -> str:
        """It in a few words, with the sign of the worst finding."""
        if self.stage is Stage.WAITING:
            return "not analysed yet: n begins"
        if self.stage is Stage.READING:
            return f"analysing {self.share:.0%}"
        if self.stage is Stage.DETECTING:
            return "analysing …"
        if self.analysis is None:
            return "! analysis failed"
        found = self.analysis.findings
        if not found:
            return "nothing found" if self.analysis.has_run else "not analysed: seen in parts"
        return f"{SIGNS[found[0].severity]} {len(found)} finding{'s' * (len(found) > 1)}"


NOT_EXAMINED = Examination()

SIGNS = {Severity.ERROR: "◆", Severity.WARNING: "▲", Severity.INFO: "◇"}
"""How severities are told without colour."""

Tell = Callable[[Examination], None]
"""Called with each new state of an examination."""


def tell_nobody(_: Examination) -> None:
    """The Tell that is for nobody."""


class _InterruptibleView(KernelView):
    """Asks now and then, also in a detector, whether to go on."""

    def __init__(self, trace: Trace, check: Check, progress: Progress) -> None:
        super().__init__(trace, progress, kernel_of(trace).hints)
        self._check = check

    def accesses(self, where: Range, between: tuple[Time, Time] | None = None) -> FrameAccesses:
        self._check()
        return super().accesses(where, between)


def examine(trace: Trace, tell: Tell = tell_nobody, check: Check = go_on) -> Examination:
    """Examine a trace and return what came of it; ``check`` may raise to give up.

    What makes a trace impossible to examine is told as FAILED, not raised.
    """
    reading = Examination(Stage.READING, "the kernel's history")
    state = reading
    tell(state)

    def progress(done: int, of: int) -> None:
        check()
        tell(replace(reading, share=done / max(of, 1)))

    try:
        view = _InterruptibleView(trace, check, progress)
        _prepare(view)
        state = Examination(Stage.DETECTING, "detectors", view=view)
        tell(state)

        def started(detector: str) -> None:
            check()
            tell(Examination(Stage.DETECTING, detector, view=view))

        return Examination(Stage.DONE, view=view, analysis=analyze(view, find_plugins(), started))
    except (TracedbgError, OSError) as error:
        return replace(state, stage=Stage.FAILED, problem=str(error))


def _prepare(view: KernelView) -> None:
    """Have everything made that needs a pass over the trace, so that no panel waits for it."""
    assert view.history is not None
    assert view.owners is not None
