"""Runs detectors over a trace and folds what they find into stories."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from tracedbg.detect.detector import Check
from tracedbg.detect.detector_run import PATIENCE, run_detector
from tracedbg.detect.finding import Finding, Severity
from tracedbg.detect.plugins import Plugin, PluginError
from tracedbg.detect.story import fold
from tracedbg.errors import SymbolError
from tracedbg.kernel.view import KernelView

SYMBOLS = "symbols"
"""Stands for a detector where symbol files cannot be used."""
RECORDING = "recording"
"""Stands for a detector where the recording itself is incomplete."""


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
        """Whether detectors ran, and found nothing above INFO."""
        return self.has_run and all(finding.severity is Severity.INFO for finding in self.findings)

    @property
    def has_run(self) -> bool:
        """Whether any detector came to its end."""
        return any(checked.detector not in (RECORDING, SYMBOLS) for checked in self.checked)

    @property
    def absence(self) -> str:
        """What to say where there is no finding."""
        return "nothing was found" if self.has_run else "nothing was looked for"


Started = Callable[[str], None]
"""Called with the name of each detector before it runs."""


def analyze(
    view: KernelView,
    plugins: Sequence[Plugin],
    started: Started | None = None,
    *,
    patience: float = PATIENCE,
) -> Analysis:
    """Run detectors; one that fails, or of another package takes too long, is named and the others go on.

    ``patience`` is in seconds. Where a symbol file is malformed all is done again without symbols.
    """
    try:
        return _run_all(view, plugins, started, patience)
    except SymbolError as error:
        analysis = _run_all(view.without_symbols(), plugins, started, patience)
        missed = Check(f"names and source lines, of which none are used: {error}", is_done=False)
        return replace(analysis, checked=(Checked(SYMBOLS, (missed,)), *analysis.checked))


def _run_all(
    view: KernelView, plugins: Sequence[Plugin], started: Started | None, patience: float
) -> Analysis:
    findings: list[Finding] = []
    checked: list[Checked] = []
    failures: list[str] = []
    gaps = _gaps_inside(view)
    if gaps:
        # A detector tells of what a kernel did in the end, and in the meantime.
        text = f"anything: a capture with gaps in between, {gaps} here; record the guest instead"
        return Analysis((), (Checked(RECORDING, (Check(text, is_done=False),)),), ())
    for plugin in plugins:
        if started is not None:
            started(plugin.name)
        try:
            found, checks = run_detector(plugin, view, patience)
        except PluginError as error:
            failures.append(str(error))
            continue
        findings += found
        checked.append(Checked(plugin.name, tuple(checks)))
    missed = _missed(view)
    own = [Checked(RECORDING, missed)] if missed else []
    return Analysis(tuple(fold(view, findings)), (*own, *checked), tuple(failures))


def _gaps_inside(view: KernelView) -> int:
    """Return how often the guest ran unseen between two instructions that were seen."""
    gaps = view.trace.store.stops.gaps
    return int(((gaps > view.trace.start) & (gaps < view.trace.end)).sum())


def _missed(view: KernelView) -> tuple[Check, ...]:
    """Return what no detector could look at: the recording does not have it, or it is too much."""
    store = view.trace.store
    texts = list(store.losses)
    if view.trace.start:
        texts.append(f"what came before t {view.trace.start:,}: the recording begins there")
    if store.guest.is_capture:
        texts.append("what came before and after the capture")
    if view.is_made("history") and view.history.end is not None:
        texts.append(f"stacks and tasks from t {view.history.end:,} on: too many traps and changes of stacks")
    if view.index.traps_left_out.any():
        texts.append(
            f"{view.index.traps_left_out.sum():,} traps between the first and the last ones: too many"
        )
    return tuple(Check(text, is_done=False) for text in texts)
