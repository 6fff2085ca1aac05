"""Which panels a terminal has room for, and how many rows each gets.

Header, timeline, answer line and key line always stay. Of the others are lost, first to last: console;
physical map; call stack and registers; memory; code.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

TWO_COLUMNS = 72
"""Columns from which panels stand next to each other."""
LEFT = ("code", "registers", "frames")
RIGHT = ("memory", "calls", "console")
SINGLE = ("code", "memory", "registers", "calls", "frames", "console")
"""Panels of each column, the one that stays longest first."""

LEAST: Mapping[str, int] = {"code": 6, "memory": 6, "registers": 6, "frames": 6, "calls": 6, "console": 4}
"""Rows that a panel needs at least, its title included."""
SHARE: Mapping[str, int] = {"code": 4, "memory": 3, "registers": 4, "frames": 3, "calls": 3, "console": 2}
"""How rows beyond that are shared."""
MOST: Mapping[str, int] = {"registers": 22, "frames": 13}
"""Rows beyond which a panel has nothing more to show."""

LEAST_BODY = 6
TIMELINE_SHARE = 2
"""The timeline takes at most half of the rows."""
FEWEST_TIMELINE = 4


@dataclass(frozen=True)
class Arrangement:
    """Rows by panel for both columns, what stays longest first; a narrow terminal has no right one."""

    left: Mapping[str, int]
    right: Mapping[str, int]


def arrange(width: int, height: int) -> Arrangement:
    """Return which panels are shown in the ``height`` rows that the timeline leaves them."""
    if width < TWO_COLUMNS:
        return Arrangement(_column(SINGLE, height), {})
    return Arrangement(_column(LEFT, height), _column(RIGHT, height))


def timeline_rows(wanted: int, height: int, fixed: int) -> int:
    """Return the rows of the timeline in a terminal of ``height``, of which ``fixed`` are taken."""
    most = max((height - fixed) // TIMELINE_SHARE, FEWEST_TIMELINE)
    return max(min(wanted, most, height - fixed), 1)


def _column(names: Sequence[str], height: int) -> dict[str, int]:
    kept: list[str] = []
    for name in names:
        if sum(LEAST[other] for other in (*kept, name)) > height:
            break
        kept.append(name)
    rows = {name: LEAST[name] for name in kept}
    _share(rows, height - sum(rows.values()))
    return rows


def _share(rows: dict[str, int], spare: int) -> None:
    """Give away spare rows one by one, each to the panel that has the least for its share; in place."""
    for _ in range(spare if rows else 0):
        open_ones = [name for name in rows if rows[name] < MOST.get(name, spare + LEAST[name] + 1)]
        if not open_ones:
            return
        rows[min(open_ones, key=lambda name: rows[name] / SHARE[name])] += 1
