"""Lines of the console where they begin."""

from collections.abc import Sequence

import numpy as np

from tracedbg.session.lanes.lane import Lane, LaneView, density, labelled
from tracedbg.session.printable import printable


class Console:
    """One lane; each line's text where there is room."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lane, unless the guest wrote nothing at all."""
        lines = [line for line in view.index.console_lines if line.content.strip()]
        if not lines:
            return []
        times = np.array([line.t for line in lines], np.int64)
        low, high = np.searchsorted(times, [view.visible.start, view.visible.stop])
        columns = view.columns(times[low:high])
        note = f"{high - low:,} console lines in view"
        if high - low > view.width:
            counts = np.bincount(columns, minlength=view.width).tolist()
            cells = "".join(density(count) if count else " " for count in counts)
            return [Lane("console", cells, cells, note=note)]
        texts = [f'"{printable(line.content)}"' for line in lines[low:high]]
        cells, kinds = labelled(view, columns.tolist(), texts, "t")
        return [Lane("console", cells, kinds, note=note)]
