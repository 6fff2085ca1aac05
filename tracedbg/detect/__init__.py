"""What went wrong in a recording: detectors, and the findings that they make out of its evidence."""

from tracedbg.detect.detector import Check, Detector, Outcome
from tracedbg.detect.finding import (
    Certainty,
    Code,
    Evidence,
    Finding,
    Owner,
    Severity,
    StackUse,
    Victim,
    VirtualPlace,
    Writer,
)

__all__ = [
    "Certainty", "Check", "Code", "Detector", "Evidence", "Finding", "Outcome", "Owner", "Severity",
    "StackUse", "Victim", "VirtualPlace", "Writer",
]  # fmt: skip
