"""The detectors that are installed, found by entry point; names are listed without importing any."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from tracedbg.detect.detector import Detector
from tracedbg.errors import TracedbgError, UsageError

GROUP = "tracedbg.detectors"
OWN = "tracedbg"


class PluginError(TracedbgError):
    """A detector cannot be loaded, or failed; ``problem`` says what happened."""

    def __init__(self, name: str, distribution: str, problem: str) -> None:
        super().__init__(name, distribution, problem)
        self.name = name
        self.distribution = distribution
        self.problem = problem

    def __str__(self) -> str:
        return f"detector {self.name} of {self.distribution}: {self.problem}"


@dataclass(frozen=True)
class Plugin:
    """A detector by name; ``distribution`` is the package that brings it."""

    name: str
    distribution: str
    entry: EntryPoint

    @property
    def is_own(self) -> bool:
        """Whether it is one of tracedbg's."""
        return self.distribution == OWN

    def load(self) -> Detector:
        """Import and make the detector; PluginError when that fails, whatever the reason."""
        try:
            detector: Detector = self.entry.load()()
            _ = (detector.name, detector.summary, detector.needs, detector.run)
        except Exception as error:
            raise PluginError(self.name, self.distribution, f"{type(error).__name__}: {error}") from error
        return detector


def find_plugins(names: Sequence[str] = ()) -> list[Plugin]:
    """Return the plugins of the names given, or all that are installed, tracedbg's own ones first.

    UsageError for a name that none has.
    """
    found: dict[str, Plugin] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: _distribution(entry) != OWN):
        # Of two with one name the first wins: nobody replaces a detector of tracedbg's own.
        found.setdefault(entry.name, Plugin(entry.name, _distribution(entry), entry))
    unknown = [name for name in names if name not in found]
    if unknown:
        raise UsageError(f"there is no detector {unknown[0]}; installed are {', '.join(found)}")
    return [found[name] for name in names or found]


def _distribution(entry: EntryPoint) -> str:
    return "an unknown package" if entry.dist is None else entry.dist.name
