"""Stack addresses that are those of another stack in each address space.

A kernel may give every task a stack at the same virtual addresses, in the task's own page tables. There the
stack pointer alone does not tell a stack, and a switch of address spaces is one of stacks.
"""

import numpy as np

from tracedbg.format.schema import PAGE_SIZE
from tracedbg.ids import Epoch, Hart, Time, VirtualAddress
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query.rows import Rows
from tracedbg.state import Trace
from tracedbg.store.source import Integers, Numbers

PAGES_TRIED = 64
"""Pages with frames that take turns which are looked at for being another one in each space."""
SPACES_TRIED = 16
NO_BACKING = 0


class StackAliases:
    """Answers from a trace; ``bounds`` are the lowest address and the top of each range, ascending."""

    def __init__(self, trace: Trace, index: TraceIndex, bounds: list[tuple[int, int]]) -> None:
        self._trace = trace
        self._index = index
        self._bases = np.array([base for base, _ in bounds], np.uint64)
        self._tops = np.array([top for _, top in bounds], np.uint64)

    def switches(self, epoch: Epoch | int, hart: Hart) -> Integers:
        """Return the absolute moments of an epoch from which a hart uses another address space."""
        track = self._index.track(self._index.space_name)
        if track is None:
            return np.empty(0, np.int64)
        rows = track.writes(epoch)
        found: Integers = rows["t"][rows["hart"] == hart].astype(np.int64)
        return found

    def backings(self, epoch: Epoch | int, hart: Hart, times: Integers, pointers: Numbers) -> Integers:
        """Return what tells the stacks apart that a hart's stack pointer was in at ``times`` of an epoch.

        That is the frame behind the highest page of the range; NO_BACKING outside of all ranges and where
        nothing is mapped.
        """
        found = np.full(len(times), NO_BACKING, np.int64)
        places = np.searchsorted(self._tops, pointers)
        inside = np.minimum(places, len(self._tops) - 1)
        rows = np.flatnonzero((places < len(self._tops)) & (pointers > self._bases[inside]))
        track = self._index.track(self._index.space_name)
        if not len(rows) or track is None:
            return found
        values, known = track.values_at(epoch, hart, times[rows])
        switches = np.searchsorted(self.switches(epoch, hart), times[rows], "right")
        anew = np.append(True, (np.diff(switches) != 0) | (np.diff(places[rows]) != 0))
        frames = np.zeros(len(rows), np.int64)
        for place in np.flatnonzero(anew & known).tolist():
            page = VirtualAddress(int(self._tops[places[rows[place]]]) - 1)
            frames[place] = _frame(self._trace, int(values[place]), page, int(times[rows[place]]))
        # What began a row that is not anew holds on.
        found[rows] = frames[np.maximum.accumulate(np.where(anew, np.arange(len(rows)), 0))]
        return found


def find_aliases(trace: Trace, index: TraceIndex, history: StackHistory) -> StackAliases | None:
    """Return the stack addresses of a history that are another stack's in another space, None for none."""
    pages = [
        page for page, frame, t in _turns(history.stack_pages) if _is_alias(trace, history, page, frame, t)
    ]
    if not pages:
        return None
    rows = history.stack_pages[np.isin(history.stack_pages["page"], pages)]
    contexts = [history.contexts[number] for number in np.unique(rows["context"]).tolist()]
    areas = sorted((context.low // PAGE_SIZE * PAGE_SIZE, context.top) for context in contexts)
    bounds: list[tuple[int, int]] = []
    for base, top in areas:
        if bounds and base < bounds[-1][1]:
            bounds[-1] = bounds[-1][0], max(bounds[-1][1], top)
        else:
            bounds.append((base, top))
    return StackAliases(trace, index, bounds)


def _turns(rows: Rows) -> list[tuple[int, int, int]]:
    """Return pages below which frames took turns: page, the later one of two frames, and its first use."""
    order = np.lexsort((rows["frame"], rows["page"]))
    rows = rows[order]
    same = (rows["page"][1:] == rows["page"][:-1]) & (rows["frame"][1:] == rows["frame"][:-1])
    begins = np.flatnonzero(np.append(True, ~same)) if len(rows) else np.empty(0, np.int64)
    if len(begins) < 2:
        return []
    page, frame = rows["page"][begins], rows["frame"][begins]
    first, last = np.minimum.reduceat(rows["first"], begins), np.maximum.reduceat(rows["last"], begins)
    order = np.lexsort((first, page))
    page, frame, first, last = page[order], frame[order], first[order], last[order]
    later = 1 + np.flatnonzero((page[1:] == page[:-1]) & (last[:-1] > first[1:]))
    chosen = later[np.unique(page[later], return_index=True)[1]][:PAGES_TRIED]
    return list(zip(page[chosen].tolist(), frame[chosen].tolist(), first[chosen].tolist(), strict=True))


def _is_alias(trace: Trace, history: StackHistory, page: int, frame: int, t: int) -> bool:
    """Say whether another space that is in use maps a page elsewhere than to the frame that is in use."""
    spaces = history.spaces
    before, after = spaces["last"] <= t, spaces["last"] > t
    roots = np.intersect1d(spaces["root"][before], spaces["root"][after])[:SPACES_TRIED]
    address = VirtualAddress(page * PAGE_SIZE)
    return any(_frame(trace, root, address, t) not in {NO_BACKING, frame} for root in roots.tolist())


def _frame(trace: Trace, root: int, address: VirtualAddress, t: int) -> int:
    """Return the frame behind an address in a space at a moment, NO_BACKING for none."""
    physical = trace.at(Time(t)).translate(address, space=root).physical
    return NO_BACKING if physical is None else physical // PAGE_SIZE
