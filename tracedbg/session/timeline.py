"""The timeline: the overview of a whole trace, and lanes for the stretch that is looked at."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tracedbg.ids import Time
from tracedbg.session.lanes import Lane, LaneSource, LaneView
from tracedbg.session.place import Place, Visible
from tracedbg.store import Trace

SHORTEST = 16
"""Instructions that are visible when zoomed in all the way."""
FIRST_VISIBLE = 1 << 16
"""Instructions that are visible when a trace is opened."""
MARGIN = 20
"""The cursor keeps a twentieth of the stretch away from its edges, where the trace goes on."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that the timeline shows; columns count from 0."""

    visible: Visible
    width: int
    cursor: int
    window: tuple[int, int]
    """First and last column of the overview that the visible stretch covers."""
    overview: Lane
    overview_cursor: int
    lanes: tuple[Lane, ...]
    bookmarks: tuple[tuple[int, str], ...]

    def time_of(self, column: int) -> Time:
        """Return the first t of a column of the lanes."""
        return Time(self.visible.start + column * self.visible.length // self.width)


@dataclass(frozen=True)
class TimelineRequest:
    """What a timeline is made from."""

    view: LaneView
    place: Place
    overview: Lane
    sources: Sequence[LaneSource]


def timeline_of(request: TimelineRequest, check: Callable[[], None]) -> Timeline:
    """Return the timeline; ``check`` is called between lanes and may give up."""
    view, place = request.view, request.place
    lanes: list[Lane] = []
    for source in request.sources:
        check()
        lanes.extend(source.lanes(view))
    shown = ordered([lane for lane in lanes if lane.name not in place.folded], place.pinned)
    whole = whole_of(view.index.trace)
    first, last, cursor = _columns_of(whole, view.width, (view.visible.start, view.visible.stop - 1, place.t))
    return Timeline(
        visible=view.visible,
        width=view.width,
        cursor=_columns_of(view.visible, view.width, (place.t,))[0],
        window=(first, last),
        overview=request.overview,
        overview_cursor=cursor,
        lanes=tuple(shown),
        bookmarks=tuple(
            (_columns_of(view.visible, view.width, (mark.t,))[0], mark.name)
            for mark in place.bookmarks
            if view.visible.holds(mark.t)
        ),
    )


def ordered(lanes: Sequence[Lane], pinned: Sequence[str]) -> list[Lane]:
    """Return the lanes, pinned ones first in the order in which they were pinned."""
    rank = {name: place for place, name in enumerate(pinned)}
    return sorted(lanes, key=lambda lane: rank.get(lane.name, len(rank)))


def _columns_of(visible: Visible, width: int, times: Sequence[int]) -> list[int]:
    found = [(t - visible.start) * width // max(visible.length, 1) for t in times]
    return [min(max(column, 0), width - 1) for column in found]


def whole_of(trace: Trace) -> Visible:
    """Return the stretch that is the whole trace; never empty."""
    return Visible(trace.start, Time(max(trace.end, trace.start + 1)))


def around(trace: Trace, t: Time, length: int) -> Visible:
    """Return a stretch of ``length`` around ``t`` that stays inside the trace."""
    whole = whole_of(trace)
    length = min(max(length, SHORTEST), whole.length)
    start = min(max(t - length // 2, whole.start), whole.stop - length)
    return Visible(Time(start), Time(start + length))


def zoomed(trace: Trace, visible: Visible, t: Time, factor: float) -> Visible:
    """Return the stretch made longer by ``factor``, with ``t`` staying at its place on the screen."""
    whole = whole_of(trace)
    length = min(max(round(visible.length * factor), SHORTEST), whole.length)
    share = min(max((t - visible.start) / visible.length, 0.0), 1.0)
    start = min(max(round(t - share * length), whole.start), whole.stop - length)
    return Visible(Time(start), Time(start + length))


def panned(trace: Trace, visible: Visible, share: float) -> Visible:
    """Return the stretch moved by a share of its length, kept inside the trace."""
    whole = whole_of(trace)
    start = min(max(visible.start + round(share * visible.length), whole.start), whole.stop - visible.length)
    return Visible(Time(start), Time(start + visible.length))


def following(trace: Trace, visible: Visible, t: Time) -> Visible:
    """Return the stretch, moved as little as needed so that ``t`` is well inside."""
    margin = visible.length // MARGIN
    if visible.start + margin <= t <= visible.stop - margin:
        return visible
    whole = whole_of(trace)
    start = t - margin if t < visible.start + margin else t + margin - visible.length
    if not visible.start - visible.length < t < visible.stop + visible.length:
        start = t - visible.length // 2
    start = min(max(start, whole.start), whole.stop - visible.length)
    return Visible(Time(start), Time(start + visible.length))
