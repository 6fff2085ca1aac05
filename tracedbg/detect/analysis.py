"""Runs detectors over a trace and folds what they find into stories."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tracedbg.detect.detector import Check, Detector
from tracedbg.detect.finding import Finding, Severity
from tracedbg.detect.plugins import Plugin, PluginError
from tracedbg.detect.story import fold
from tracedbg.errors import TracedbgError
from tracedbg.kernel.view import KernelView


@dataclass(frozen=True)
class Checked:
    """What a detector says it looked at."""

    detector: str
    checks: tuple[Check, ...]


@dataclass(frozen=True)
class Analysis:
    """What detectors found: stories, the worst first, then what was checked, by detector.

    ``failures`` are detectors that could not be loaded or gave up, as sentences.
    """

    findings: tuple[Finding, ...]
    checked: tuple[Checked, ...]
    failures: tuple[str, ...]

    @property
    def is_clean(self) -> bool:
        """Whether nothing above INFO was found."""
        return all(finding.severity is Severity.INFO for finding in self.findings)


Started = Callable[[str], None]
"""Called with the name of each detector before it runs."""


def analyze(view: KernelView, plugins: Sequence[Plugin], started: Started | None = None) -> Analysis:
    """Run detectors; one that fails is named and the others go on."""
    findings: list[Finding] = []
    checked: list[Checked] = []
    failures: list[str] = []
    for plugin in plugins:
        if started is not None:
            started(plugin.name)
        try:
            found, checks = _sorted_out(_run(plugin, plugin.load(), view))
        except PluginError as error:
            failures.append(str(error))
            continue
        findings += found
        checked.append(Checked(plugin.name, tuple(checks)))
    return Analysis(tuple(fold(view, findings)), tuple(checked), tuple(failures))


def _run(plugin: Plugin, detector: Detector, view: KernelView) -> Iterable[Finding | Check]:
    try:
        return list(detector.run(view))
    except TracedbgError:
        # The trace is at fault, not the detector.
        raise
    except Exception as error:
        if plugin.is_own:
            # A bug of tracedbg's own is to be seen as one.
            raise
        raise PluginError(plugin.name, plugin.distribution, f"{type(error).__name__}: {error}") from error


def _sorted_out(outcomes: Iterable[Finding | Check]) -> tuple[list[Finding], list[Check]]:
    found: list[Finding] = []
    checks: list[Check] = []
    for outcome in outcomes:
        if isinstance(outcome, Finding):
            found.append(outcome)
        else:
            checks.append(outcome)
    return found, checks
