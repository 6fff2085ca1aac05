"""Detectors that somebody else might have written."""

from collections.abc import Iterable
from dataclasses import replace
from time import sleep
from typing import Any, cast

from tracedbg.detect import Certainty, Check, Finding, Severity
from tracedbg.errors import UsageError
from tracedbg.ids import Time
from tracedbg.kernel.view import KernelView

GOOD = Finding("good", Severity.WARNING, "it rained", Time(3), Certainty.LIKELY, "the street is wet")


class Good:
    """Finds one thing."""

    name, summary, needs = "good", "rain", "a street"

    def run(self, view: KernelView) -> Iterable[object]:
        """Yield what is always found."""
        return [GOOD, Check("the street")]


class Broken(Good):
    """Fails after its first finding."""

    def run(self, view: KernelView) -> Iterable[object]:
        """Yield one thing and fail."""
        yield GOOD
        raise ZeroDivisionError("no street")


class Misinformed(Good):
    """Asks the trace for something that is not there."""

    def run(self, view: KernelView) -> Iterable[object]:
        """Raise an error of tracedbg's."""
        raise UsageError("there is no register street")


class Quitting(Good):
    """Leaves the program."""

    def run(self, view: KernelView) -> Iterable[object]:
        """Raise SystemExit."""
        raise SystemExit(7)


class Endless(Good):
    """Takes longer than anybody waits."""

    def run(self, view: KernelView) -> Iterable[object]:
        """Wait for rain."""
        sleep(30)
        return []


class Talking(Good):
    """Yields something else than outcomes."""

    def run(self, view: KernelView) -> Iterable[object]:
        """Yield a sentence."""
        return ["it rained"]


class Early(Good):
    """Finds something before time began."""

    def run(self, view: KernelView) -> Iterable[object]:
        """Yield a finding at a moment that is none."""
        return [replace(GOOD, t=Time(-1))]


class Untitled(Good):
    """Yields a finding without a title."""

    def run(self, view: KernelView) -> Iterable[object]:
        """Yield it."""
        title: Any = None
        return [replace(GOOD, title=title)]


class Silent(Good):
    """Returns nothing at all."""

    def run(self, view: KernelView) -> Iterable[object]:
        """Return None."""
        nothing: Any = None
        return cast("Iterable[object]", nothing)


class Unfinished:
    """Has a name and nothing else."""

    name = "unfinished"
