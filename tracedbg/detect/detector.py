"""What a detector is. docs/detectors.md shows how to write one."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tracedbg.detect.finding import Finding
from tracedbg.kernel.view import KernelView


@dataclass(frozen=True)
class Check:
    """What was looked at and found clean, or could not be looked at (``is_done`` False), and why."""

    text: str
    is_done: bool = True


Outcome = Finding | Check


class Detector(Protocol):
    """Something that looks for one kind of fault.

    ``name`` is how people call it, ``summary`` one line on what it finds, ``needs`` what a trace has to hold
    for it, in words. An entry point of the group ``tracedbg.detectors`` names a class that is made without
    arguments.
    """

    name: str
    summary: str
    needs: str

    def run(self, view: KernelView) -> Iterable[Outcome]:
        """Yield what was found, and a Check for all that was looked at or could not be."""
