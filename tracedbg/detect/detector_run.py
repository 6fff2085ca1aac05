"""Runs one detector. Those that others wrote are not trusted to end, nor to yield what they should."""

from collections.abc import Iterable
from queue import Empty, SimpleQueue
from threading import Thread

from tracedbg.detect.detector import Check, Detector, Outcome
from tracedbg.detect.finding import Certainty, Finding, Severity
from tracedbg.detect.plugins import Plugin, PluginError
from tracedbg.errors import TracedbgError
from tracedbg.kernel.view import KernelView

PATIENCE = 120.0
"""Seconds after which a detector of another package is left alone."""

FIELDS: dict[type, dict[str, type]] = {
    Finding: {
        "detector": str, "title": str, "severity": Severity, "certainty": Certainty, "why": str, "t": int,
        "chain": tuple, "consumers": tuple,
    },
    Check: {"text": str, "is_done": bool},
}  # fmt: skip


def run_detector(
    plugin: Plugin, view: KernelView, patience: float = PATIENCE
) -> tuple[list[Finding], list[Check]]:
    """Return what a detector found and what it says it looked at.

    PluginError when it cannot be loaded. One of another package also gets a PluginError for whatever it
    raises, for an outcome that is none, and when it has not ended after ``patience`` seconds; it then goes on
    in a thread that nobody waits for.
    """
    detector = plugin.load()
    if plugin.is_own:
        # A bug of tracedbg's own is to be seen as one, and a trace's fault as the trace's.
        outcomes: list[object] = list(detector.run(view))
    else:
        outcomes = _run_foreign(plugin, detector, view, patience)
    for outcome in outcomes:
        _check(plugin, outcome, view)
    findings = [outcome for outcome in outcomes if isinstance(outcome, Finding)]
    return findings, [outcome for outcome in outcomes if isinstance(outcome, Check)]


def _run_foreign(plugin: Plugin, detector: Detector, view: KernelView, patience: float) -> list[object]:
    # The pass over the trace takes its time whoever asks for it.
    _ = view.history
    answer: SimpleQueue[list[object] | PluginError] = SimpleQueue()

    def run() -> None:
        try:
            answer.put(_collect(plugin, detector, view))
        except PluginError as error:
            answer.put(error)

    Thread(target=run, name=f"detector {plugin.name}", daemon=True).start()
    try:
        found = answer.get(timeout=patience)
    except Empty:
        problem = f"it has not ended after {patience:g} seconds"
        raise PluginError(plugin.name, plugin.distribution, problem) from None
    if isinstance(found, PluginError):
        raise found
    return found


def _collect(plugin: Plugin, detector: Detector, view: KernelView) -> list[object]:
    outcomes: Iterable[Outcome]
    try:
        outcomes = detector.run(view)
        return list(outcomes)
    except TracedbgError as error:
        raise PluginError(plugin.name, plugin.distribution, str(error)) from error
    except (Exception, SystemExit) as error:
        raise PluginError(plugin.name, plugin.distribution, f"{type(error).__name__}: {error}") from error


def _check(plugin: Plugin, outcome: object, view: KernelView) -> None:
    """Refuse with PluginError what no report could show."""
    problem = None
    if not isinstance(outcome, Finding | Check):
        problem = f"it yielded a {type(outcome).__name__}, which is neither a Finding nor a Check"
    elif wrong := _wrong_fields(outcome):
        problem = f"it yielded a {type(outcome).__name__} whose {wrong[0]} is a {wrong[1]}"
    elif isinstance(outcome, Finding) and not view.trace.start <= outcome.t <= view.trace.end:
        problem = f"it yielded a Finding at t {outcome.t:,}, which the trace does not have"
    if problem is not None:
        raise PluginError(plugin.name, plugin.distribution, problem)


def _wrong_fields(outcome: Finding | Check) -> tuple[str, str] | None:
    """Return the first field that every report needs and that is of another type, and that type's name."""
    for field, kind in FIELDS[type(outcome)].items():
        value: object = getattr(outcome, field)
        if not isinstance(value, kind):
            return field, type(value).__name__
    return None
