"""What a person puts into a place to find again: bookmarks, watched bytes, pinned and folded lanes."""

from dataclasses import replace
from typing import TypeVar

from tracedbg.ids import Time
from tracedbg.session.place import Bookmark, Place, Watch

Mark = TypeVar("Mark")


def toggled(marks: tuple[Mark, ...], mark: Mark) -> tuple[Mark, ...]:
    """Return the marks without the one, or with it at the end where it was not among them."""
    left = tuple(other for other in marks if other != mark)
    return left if mark in marks else (*marks, mark)


def with_watch(place: Place, watch: Watch) -> Place:
    """Return the place with a lane for bytes, or without it where there was one."""
    return replace(place, watches=toggled(place.watches, watch))


def with_watched(place: Place, watch: Watch) -> Place:
    """Return the place with a lane for bytes, also where there was one."""
    return place if watch in place.watches else with_watch(place, watch)


def with_bookmark(place: Place, name: str = "") -> Place:
    """Return the place with a bookmark at its moment, or without it where there was one."""
    left = tuple(mark for mark in place.bookmarks if mark.t != place.t)
    if len(left) == len(place.bookmarks):
        mark = Bookmark(place.t, name or str(len(left) + 1))
        left = tuple(sorted((*left, mark), key=lambda mark: mark.t))
    return replace(place, bookmarks=left)


def next_bookmark(place: Place) -> Time | None:
    """Return the next bookmark after a place's moment, the first one after the last; None without any."""
    times = [mark.t for mark in place.bookmarks]
    return next((t for t in times if t > place.t), times[0] if times else None)


def with_pin(place: Place, lane: str) -> Place:
    """Return the place with a lane on top, or back where it belongs."""
    return replace(place, pinned=toggled(place.pinned, lane))


def with_fold(place: Place, lane: str) -> Place:
    """Return the place with a lane hidden, or shown again."""
    return replace(place, folded=toggled(place.folded, lane))
