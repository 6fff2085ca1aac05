"""What a screen may ask of a guest that is still there: it stands still between these calls."""

from typing import Protocol

from tracedbg.session.place import Selection
from tracedbg.state import Trace


class LiveGuest(Protocol):
    """A guest whose trace grows. All but ``interrupt`` block, and return a sentence on what came of it.

    They raise TracedbgError where it cannot be done; when the guest has gone, ``is_there`` is False.
    """

    @property
    def is_there(self) -> bool: ...

    def snapshot(self) -> Trace:
        """Return the trace so far, which will not change."""

    def resume(self) -> str:
        """Let the guest run to the next breakpoint, watchpoint or interrupt."""

    def step(self, count: int) -> str:
        """Take single steps."""

    def toggle_break(self, where: str) -> str:
        """Set a breakpoint at an address or symbol, or take it away."""

    def watch(self, selection: Selection) -> str:
        """Stop at stores to these virtual bytes."""

    def read(self, selection: Selection) -> str:
        """Read the page of these virtual bytes into the trace."""

    def interrupt(self) -> None:
        """Make the guest stop while ``resume`` waits; for another thread."""
