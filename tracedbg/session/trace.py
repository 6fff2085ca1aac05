"""An opened trace with all that can be asked of it: what ``tracedbg.open`` returns."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tracedbg import state
from tracedbg.kernel.hints import find_hints
from tracedbg.kernel.view import KernelView
from tracedbg.provenance import Explanation, Limits, why
from tracedbg.provenance.why import Target
from tracedbg.state import Moment
from tracedbg.state.trace import Position

if TYPE_CHECKING:
    from tracedbg.detect.analysis import Analysis


def kernel_of(trace: state.Trace) -> KernelView:
    """Return the kernel's view of a trace, with the hints of a tracedbg.toml beside it."""
    return KernelView(trace, hints=find_hints(Path(trace.store.path), None, trace.symbols))


class Trace(state.Trace):
    """A trace as programs use it: moments and searches, the kernel's view, provenance and detectors."""

    @cached_property
    def kernel(self) -> KernelView:
        """The kernel's view: stacks, page owners, address spaces; made when it is first asked for."""
        return kernel_of(self)

    def close(self) -> None:
        """Close the file and let go of the kernel's view; nothing can be read afterwards."""
        super().close()
        vars(self).pop("kernel", None)

    def why(
        self,
        target: Target,
        at: Position | Moment = "end",
        *,
        virtual: bool = False,
        limits: Limits | None = None,
    ) -> Explanation:
        """Walk back to where a register, a range of memory or the last fault came from.

        See tracedbg.provenance.why, which has the same arguments.
        """
        return why(self, target, at=at, virtual=virtual, limits=limits)

    def analyze(self, detectors: Sequence[str] = ()) -> "Analysis":
        """Run the detectors of these names, or all that are installed; UsageError for no such name."""
        from tracedbg.detect.analysis import analyze
        from tracedbg.detect.plugins import find_plugins

        return analyze(self.kernel, find_plugins(detectors))
