"""The guest's console up to a moment."""

from bisect import bisect_right

import numpy as np

from tracedbg.ids import Time
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.session.printable import printable
from tracedbg.session.snapshots import ConsolePanel


def console_panel(index: TraceIndex, t: Time, height: int) -> ConsolePanel:
    """Return the last ``height`` lines written before ``t``; the last one as far as it was written."""
    lines = index.console_lines
    stop = bisect_right(lines, t - 1, key=lambda line: line.t)
    shown = [printable(line.content) for line in lines[max(stop - height, 0) : stop]]
    if stop and lines[stop - 1].end >= t:
        times, content = index.trace.console
        low, high = np.searchsorted(times, np.array([lines[stop - 1].t, t], np.uint64))
        shown[-1] = printable(content[low:high].tobytes().rstrip(b"\r\n"))
    return ConsolePanel(tuple(shown))
