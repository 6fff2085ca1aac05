"""What went wrong, where it began: a sign for its severity and the detector's name."""

from collections.abc import Sequence

import numpy as np

from tracedbg.detect.finding import Finding, Severity
from tracedbg.session.evidence import all_findings
from tracedbg.session.examination import SIGNS
from tracedbg.session.lanes.lane import Lane, LaneView, density, fitted

KINDS = {Severity.ERROR: "!", Severity.WARNING: "^", Severity.INFO: "i"}


class Findings:
    """One lane, as soon as the trace has been analysed and something was found."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lane, with the worst severity of each cell as its kind."""
        analysis = view.examination.analysis
        if analysis is None or not analysis.findings:
            return []
        shown = [finding for finding in all_findings(analysis) if _is_inside(view, finding)]
        cells, kinds = [" "] * view.width, [" "] * view.width
        by_column: dict[int, list[Finding]] = {}
        for finding in sorted(shown, key=lambda finding: finding.t):
            by_column.setdefault(int(view.columns(np.array([finding.t]))[0]), []).append(finding)
        stops = [*by_column, view.width][1:]
        for (column, own), stop in zip(by_column.items(), stops, strict=True):
            own.sort(key=lambda finding: finding.severity.rank)
            text = _text(own, stop - column)
            cells[column : column + len(text)] = text
            kinds[column : column + len(text)] = KINDS[own[0].severity] * len(text)
        note = f"{len(shown):,} findings in view"
        return [Lane("findings", "".join(cells), "".join(kinds), note=note)]


def _is_inside(view: LaneView, finding: Finding) -> bool:
    return view.visible.start <= finding.t < view.visible.stop


def _text(findings: list[Finding], room: int) -> str:
    """The sign of the worst and as much of its name as there is room for, with the number of others.

    Of several findings only the density, where not all of that fits.
    """
    worst, others = findings[0], len(findings) - 1
    sign = SIGNS[worst.severity]
    if others:
        text = f"{sign} {worst.detector} +{others}"
        return text if len(text) < room else density(len(findings))
    return sign if room <= len(sign) + 1 else fitted(f"{sign} {worst.detector}", room - 1)
