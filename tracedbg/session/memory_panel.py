"""Memory around the selected bytes: what is known of it, what was written just now, who wrote it."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tracedbg.ids import PhysicalAddress, Time
from tracedbg.query import Kind, accesses
from tracedbg.session.answers import Answers
from tracedbg.session.place import Place, Selection
from tracedbg.session.selecting import ADDRESSES, find_physical, selected
from tracedbg.session.snapshots import ByteCell, MemoryPanel, MemoryRow
from tracedbg.state import Moment
from tracedbg.store import Trace

PAGE = 4096
JUST_NOW = 1 << 20
"""A move by at most so many instructions marks bytes that were written, a longer one those that differ."""


@dataclass(frozen=True)
class MemorySize:
    """Rows, and bytes in each."""

    rows: int
    width: int


def memory_panel(
    answers: Answers, moment: Moment, before: Moment, place: Place, size: MemorySize
) -> MemoryPanel:
    """Return the panel; ``before`` is the moment before the last move."""
    selection, base = place.selection, place.memory_base
    count = min(size.rows * size.width, ADDRESSES - base)
    known = read(moment, selection, base, count)
    written = _written(answers.trace.store, moment, before, place, count)
    cells = [
        ByteCell(value, bool(mark), selection.address <= base + offset < selection.address + selection.size)
        for offset, (value, mark) in enumerate(zip(known, written, strict=True))
    ]
    rows = tuple(
        MemoryRow(base + start, tuple(cells[start : start + size.width]))
        for start in range(0, count, size.width)
    )
    physical = find_physical(moment, selection)
    writer, reader = answers.about(physical, selection.size, place.t)
    return MemoryPanel(selection, physical, rows, writer, reader)


def read(moment: Moment, selection: Selection, base: int, size: int) -> tuple[int | None, ...]:
    """Return bytes from ``base`` in the selection's address space, None for each that is not known."""
    memory = moment.memory
    return (memory.read_virtual if selection.is_virtual else memory.read_physical)(base, size).values


def _written(trace: Trace, moment: Moment, before: Moment, place: Place, size: int) -> NDArray[np.bool_]:
    """Return which bytes were written between the two moments, in either direction of time."""
    marks = np.zeros(size, np.bool_)
    start, stop = sorted((place.came_from, place.t))
    if stop - start > JUST_NOW:
        old = read(before, place.selection, place.memory_base, size)
        new = read(moment, place.selection, place.memory_base, size)
        return np.array([one != other for one, other in zip(old, new, strict=True)], np.bool_)
    for offset, length in _pieces(place.memory_base, size):
        where = find_physical(moment, _byte(place, offset))
        if where is not None:
            marks[offset : offset + length] = _stored(trace, where, length, (Time(start), Time(stop)))
    return marks


def _byte(place: Place, offset: int) -> Selection:
    return selected(place.memory_base + offset, 1, is_virtual=place.selection.is_virtual)


def _pieces(base: int, size: int) -> list[tuple[int, int]]:
    """Offset and length of the parts of a range that lie in one page each."""
    edges = [0, *range(-base % PAGE or PAGE, size, PAGE), size]
    return [(low, high - low) for low, high in pairwise(edges) if low < high]


def _stored(trace: Trace, start: int, size: int, between: tuple[Time, Time]) -> NDArray[np.bool_]:
    marks = np.zeros(size, np.bool_)
    rows = accesses(trace, (PhysicalAddress(start), size), between=between, kind=Kind.WRITE)
    for row in rows[-PAGE:]:
        low = int(row["physical"]) - start
        marks[max(low, 0) : max(low + int(row["size"]), 0)] = True
    return marks
