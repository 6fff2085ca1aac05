"""What a lane is, what it is made from, and the glyphs that all lanes share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from tracedbg.ids import Hart, Time
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.kernel.view import KernelView
from tracedbg.session.examination import NOT_EXAMINED, Examination
from tracedbg.session.place import Visible, Watch
from tracedbg.store.source import Integers, Numbers

EXACT_INSTRUCTIONS = 2 << 20
"""Stretches of at most so many instructions are looked at one by one, longer ones sampled."""

DENSITY = "░▒▓█"
"""Several marks in one cell: up to 9, 99, 999, and more."""

BARS = " ▁▂▃▄▅▆▇█"

SHORTEST_LABEL = 5
"""Characters of a longer text that must fit for it to be shown at all."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A row of the timeline: a character for each column, and for each the kind that decides its colour.

    ``name`` stands at the left and identifies the lane; ``note`` is a remark for the status line. A lane
    that is not ``exact`` was sampled, and what lies between the samples may differ.
    """

    name: str
    cells: str
    kinds: str
    exact: bool = True
    note: str = ""


@dataclass(frozen=True)
class LaneView:
    """What a lane is made from: a stretch of time in ``width`` columns, seen from hart ``hart``.

    Of ``kernel`` a lane asks only what is cheap, or what was found out before.
    ``examination`` is what is known of the kernel so far.
    """

    index: TraceIndex
    visible: Visible
    width: int
    hart: Hart
    watches: tuple[Watch, ...] = ()
    kernel: KernelView | None = None
    examination: Examination = NOT_EXAMINED

    @cached_property
    def edges(self) -> Integers:
        """The first absolute t of each column, and the end of the last: width + 1 rows.

        In a stretch shorter than its columns some have no instruction: their edges are equal.
        """
        steps = np.arange(self.width + 1, dtype=np.int64)
        return self.visible.start - (-steps * self.visible.length // self.width)

    @property
    def epochs(self) -> range:
        """The epochs that the stretch touches."""
        trace = self.index.trace
        last = max(self.visible.stop - 1, self.visible.start)
        return range(trace.epoch_of(self.visible.start), trace.epoch_of(Time(last)) + 1)

    @property
    def is_exact(self) -> bool:
        """Whether every instruction of the stretch is looked at."""
        return self.visible.length <= EXACT_INSTRUCTIONS

    def columns(self, times: Integers | Numbers) -> Integers:
        """Return the column of each absolute t, which must be in the stretch."""
        found = np.searchsorted(self.edges, np.asarray(times, np.int64), "right") - 1
        return np.clip(found, 0, self.width - 1)

    def inside(self, times: Integers | Numbers) -> np.ndarray:
        """Return which absolute times are in the stretch."""
        moments = np.asarray(times, np.int64)
        return (moments >= self.visible.start) & (moments < self.visible.stop)

    def iter_epoch_columns(self) -> Iterator[tuple[int, int, int, int]]:
        """Yield for each column: its number, the epoch of its middle, and its share of it as offsets."""
        trace = self.index.trace
        for column in range(self.width):
            low, high = int(self.edges[column]), int(self.edges[column + 1])
            number = trace.epoch_of(Time((low + high) // 2))
            start = int(trace.epoch_starts[number])
            stop = int(trace.epoch_starts[number + 1]) if number + 1 < trace.epochs else trace.end
            yield column, number, max(low, start) - start, max(min(high, stop) - start, 0)


class LaneSource(Protocol):
    """Something that yields lanes: built in, or added to a session by a layer above the trace."""

    def lanes(self, view: LaneView) -> Sequence[Lane]:
        """Return the lanes for a view, none where there is nothing to show at all."""


def density(count: int) -> str:
    """The glyph for several marks in one cell."""
    return DENSITY[min(len(str(count)), len(DENSITY)) - 1]


def marked(view: LaneView, times: Integers, letters: str) -> tuple[str, str]:
    """Return cells and kinds with a letter for each t, and a density glyph where several share a cell.

    A cell's kind is its letter, ``*`` where letters differ.
    """
    cells, kinds = [" "] * view.width, [" "] * view.width
    columns = view.columns(times)
    counts = np.bincount(columns, minlength=view.width)
    first = np.searchsorted(columns, np.arange(view.width + 1))
    for column in np.flatnonzero(counts).tolist():
        own = set(letters[int(first[column]) : int(first[column + 1])])
        kinds[column] = own.pop() if len(own) == 1 else "*"
        count = int(counts[column])
        cells[column] = letters[int(first[column])] if count == 1 else density(count)
    return "".join(cells), "".join(kinds)


def labelled(view: LaneView, columns: Sequence[int], texts: Sequence[str], kind: str) -> tuple[str, str]:
    """Return cells and kinds with texts from ``columns`` (ascending) on, cut where the next one begins.

    Where several begin in one cell, or none of a text could be read, only the density shows.
    """
    cells, kinds = [" "] * view.width, [" "] * view.width
    starts = sorted(set(columns))
    for place, column in enumerate(starts):
        own = [text for at, text in zip(columns, texts, strict=True) if at == column]
        room = (starts[place + 1] if place + 1 < len(starts) else view.width) - column
        readable = len(own) == 1 and room >= min(len(own[0]), SHORTEST_LABEL)
        text = fitted(own[0], room) if readable else density(len(own))
        cells[column : column + len(text)] = text
        kinds[column : column + len(text)] = kind * len(text)
    return "".join(cells), "".join(kinds)


def fitted(text: str, room: int) -> str:
    """A text cut to a room, with an ellipsis where something is missing."""
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


def bars(heights: Numbers, highest: float) -> str:
    """Return a bar for each height, 0 to ``highest``; anything above 0 shows at least the lowest."""
    scaled = np.ceil(np.asarray(heights, np.float64) * (len(BARS) - 1) / max(highest, 1))
    return "".join(BARS[int(level)] for level in np.clip(scaled, 0, len(BARS) - 1))
