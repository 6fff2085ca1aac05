"""What a capture is to do, and what a stop showed."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracedbg.format.schema import StopReason
from tracedbg.gdb.capture.access import Access
from tracedbg.gdb.capture.condition import Condition
from tracedbg.gdb.capture.registers import HartState
from tracedbg.gdb.capture.survey import Found, Stack, Wanted


@dataclass(frozen=True)
class Stop:
    """A moment at which the guest stood still; ``store`` is what hit a watchpoint.

    ``notes`` are sentences on what was found amiss.
    """

    number: int
    t: int
    hart: int
    reason: StopReason
    address: int | None
    state: HartState
    stacks: Sequence[Stack]
    ranges: Sequence[Found]
    store: Access | None = None
    steps: int = 0
    notes: Sequence[str] = ()


@dataclass(frozen=True)
class Plan:
    """What is captured. ``steps`` are taken after each stop; None is no limit.

    ``breaks`` are virtual addresses, ``watches`` (virtual address, size).
    """

    breaks: Sequence[int] = ()
    watches: Sequence[tuple[int, int]] = ()
    wanted: Sequence[Wanted] = ()
    steps: int = 0
    stops: int | None = None
    seconds: float | None = None
    until: Condition | None = None

    @property
    def runs(self) -> bool:
        """Whether the guest is let run, and not only stepped."""
        is_to_wait = self.seconds is not None and not self.steps
        return bool(self.breaks or self.watches or self.stops is not None or is_to_wait)
