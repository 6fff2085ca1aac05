"""A store into the live frames of a stack, which its owner then finds changed."""

from collections.abc import Iterable

from tracedbg.detect import Check, Outcome
from tracedbg.detect.frame_findings import by_cause, frame_finding
from tracedbg.kernel.view import KernelView


class LiveFrameOverwrite:
    """Convicts a store into frames in use when the use of the stack that made them loads what it left."""

    name = "live-frame-overwrite"
    summary = "live frames of a stack were stored over, and their owner used what was left there"
    needs = "memory accesses with values"

    def run(self, view: KernelView) -> Iterable[Outcome]:
        """Yield a finding for each stack whose frames one cause ruined."""
        for damages in by_cause(view.frame_damages):
            yield frame_finding(view, self.name, damages)
        yield Check(f"{len(view.history.suspects):,} loads from stacks that deserved a closer look")
