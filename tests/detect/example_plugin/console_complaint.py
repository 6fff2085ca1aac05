"""Finds lines on the console by which a guest itself says that something failed."""

import re
from collections.abc import Iterable

from tracedbg.detect import Certainty, Check, Evidence, Finding, Outcome, Severity
from tracedbg.detect.evidence import code_at
from tracedbg.kernel.trace_index import ConsoleLine
from tracedbg.kernel.view import KernelView

COMPLAINT = re.compile(rb"\b(error|fail(ed|ure)?|panic|oops|bug)\b", re.IGNORECASE)


class ConsoleComplaint:
    """Reports each line with a word of complaint."""

    name = "console-complaint"
    summary = "the guest complained on its console"
    needs = "a console"

    def run(self, view: KernelView) -> Iterable[Outcome]:
        """Yield a finding for each complaint, then what was looked at."""
        lines = view.index.console_lines
        for line in lines:
            if COMPLAINT.search(line.content):
                yield self._finding(view, line)
        if lines:
            yield Check(f"{len(lines)} console lines")
        else:
            yield Check("the console: the guest wrote nothing to it", is_done=False)

    def _finding(self, view: KernelView, line: ConsoleLine) -> Finding:
        text = line.content.decode(errors="replace").strip()
        printed = Evidence(line.t, "print", f"“{text}” begins", code=code_at(view, line.t))
        return Finding(
            detector=self.name,
            severity=Severity.WARNING,
            title=f"the guest says “{text}”",
            t=line.t,
            certainty=Certainty.POSSIBLE,
            why="the words are the guest's own; healthy guests also print them",
            chain=(printed,),
        )
