"""What a trace holds altogether, as ``tracedbg info`` shows it."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tracedbg.arch import architecture
from tracedbg.ids import Time
from tracedbg.store.trace import Trace

SAMPLED_EPOCHS = 256
_PRIVILEGES = 4


@dataclass(frozen=True)
class Contents:
    """Counts over a whole trace.

    ``shares`` has the part of all instructions that ran at each privilege, by name; of a trace of more than
    SAMPLED_EPOCHS epochs it is taken from so many, evenly spaced. ``sizes`` are bytes in the file by topic.
    """

    start: Time
    end: Time
    instructions: int
    shares: Mapping[str, float]
    sizes: Mapping[str, int]


def contents(trace: Trace) -> Contents:
    """Count; TraceFormatError when what is looked at is malformed."""
    counts = np.zeros(_PRIVILEGES, np.int64)
    step = -(-trace.epochs // SAMPLED_EPOCHS)
    for index in range(0, trace.epochs, step):
        epoch = trace.epoch(index)
        privilege = epoch.blocks.privilege[epoch.run_block] % _PRIVILEGES
        started = np.diff(epoch.run_start)
        counts += np.bincount(privilege, started, minlength=_PRIVILEGES).astype(np.int64)
    total = max(int(counts.sum()), 1)
    name = architecture(trace.guest.arch).privilege_name
    shares = {name(level): int(counts[level]) / total for level in np.flatnonzero(counts).tolist()}
    return Contents(trace.start, trace.end, _instructions(trace), shares, trace.sizes)


def _instructions(trace: Trace) -> int:
    """Epochs follow one another without a gap in a recording."""
    return trace.end - trace.start
