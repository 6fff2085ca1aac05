"""Findings as rows of a list, and the way from one piece of evidence to another."""

from collections.abc import Iterator
from dataclasses import dataclass

from tracedbg.detect.analysis import Analysis
from tracedbg.detect.finding import Evidence, Finding, Severity
from tracedbg.detect.story import value_text
from tracedbg.ids import PhysicalAddress, Time
from tracedbg.session.byte_text import LARGEST
from tracedbg.session.place import Watch
from tracedbg.session.selecting import SELECTED_BYTES


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A finding or a piece of evidence, at ``t``; ``bytes`` are those that it is about, None for none.

    ``severity`` is None for evidence; ``depth`` counts from 0 for a story. ``role`` is a detector's name, or
    what the evidence is to the story.
    """

    t: Time
    role: str
    text: str
    bytes: Watch | None
    depth: int
    severity: Severity | None = None


def finding_rows(analysis: Analysis) -> tuple[FindingRow, ...]:
    """Return the rows of all stories: each with its evidence, then the findings that belong to it."""
    return tuple(row for story in analysis.findings for row in _rows(story, 0))


def _rows(finding: Finding, depth: int) -> Iterator[FindingRow]:
    yield FindingRow(finding.t, finding.detector, finding.title, _bytes_of(finding), depth, finding.severity)
    for evidence in finding.chain:
        yield _evidence_row(evidence, depth + 1)
    for other in finding.related:
        yield from _rows(other, depth + 1)


def _bytes_of(finding: Finding) -> Watch | None:
    if finding.victim is not None:
        return _watch(finding.victim.physical, finding.victim.size)
    return _watch(finding.physical_address, SELECTED_BYTES)


def _watch(physical: PhysicalAddress | None, size: int | None) -> Watch | None:
    if physical is None:
        return None
    return Watch(physical, min(max(size or SELECTED_BYTES, 1), LARGEST))


def _evidence_row(evidence: Evidence, depth: int) -> FindingRow:
    code = "" if evidence.code is None else f"{evidence.code.text}: "
    text = evidence.text if code and evidence.text.startswith(code[:-2]) else f"{code}{evidence.text}"
    if evidence.before != evidence.after:
        text += f" ({value_text(evidence.before)} → {value_text(evidence.after)})"
    return FindingRow(evidence.t, evidence.role, text, _watch(evidence.physical, evidence.size), depth)


def all_findings(analysis: Analysis) -> Iterator[Finding]:
    """Yield the stories, each followed by the findings that belong to it."""
    waiting = list(reversed(analysis.findings))
    while waiting:
        finding = waiting.pop()
        yield finding
        waiting.extend(reversed(finding.related))


def find_counterpart(analysis: Analysis, t: Time) -> FindingRow | None:
    """Return for the moment of a finding's store the first use of what it left, and the store for a use.

    None at any other moment, and where nothing used what was stored.
    """
    findings = list(all_findings(analysis))
    for finding in findings:
        if t == _store_of(finding) and finding.consumers:
            return _evidence_row(finding.consumers[0], 1)
    for finding in findings:
        if t in {evidence.t for evidence in finding.consumers}:
            stores = [evidence for evidence in finding.chain if evidence.t == _store_of(finding)]
            return _evidence_row(stores[-1], 1) if stores else next(_rows(finding, 0))
    return None


def _store_of(finding: Finding) -> Time:
    return finding.t if finding.writer is None else finding.writer.t
