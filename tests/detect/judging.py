"""Reads findings as a judge does: everything that an analysis says above INFO, and whose memory it names."""

from collections.abc import Iterator

from tests.kernels.damage import Place
from tests.kernels.variants import Owner
from tracedbg.detect import Code, Finding, Severity
from tracedbg.detect.analysis import Analysis

OWNER_KINDS = {
    Owner.USER_PAGE: "user page",
    Owner.PAGE_TABLE: "page table",
    Owner.STACK: "kernel stack",
    Owner.OWN_STACK: "kernel stack",
    Owner.KERNEL_DATA: "kernel data",
}


def alarms(analysis: Analysis) -> list[Finding]:
    """Return the stories above INFO."""
    return [finding for finding in analysis.findings if finding.severity is not Severity.INFO]


def iter_told(analysis: Analysis) -> Iterator[Finding]:
    """Yield the findings above INFO, those inside stories too."""
    for story in analysis.findings:
        for finding in (story, *story.related):
            if finding.severity is not Severity.INFO:
                yield finding


def function(code: Code | None) -> str | None:
    """Return the name of the function that an instruction is in."""
    if code is None or code.symbol is None:
        return None
    return code.symbol.rpartition("+")[0] or code.symbol


def is_about(finding: Finding, place: Place) -> bool:
    """Say whether bytes that a finding calls ruined, or that were read, are the kernel's victim."""
    ranges = [(part.physical, part.size or 1) for part in finding.consumers]
    if finding.victim is not None:
        ranges.append((finding.victim.physical, finding.victim.size))
    return any(
        start is not None and start < place.victim + place.victim_size and place.victim < start + size
        for start, size in ranges
    )
