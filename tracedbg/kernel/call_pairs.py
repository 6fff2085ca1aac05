"""Pairs calls with their returns by what both have in common."""

from collections.abc import Sequence

import numpy as np

from tracedbg.store.source import Flags, Integers, Numbers

UNPAIRED = -1


def paired(
    calls: tuple[Integers, Sequence[Numbers]], returns: tuple[Integers, Sequence[Numbers]]
) -> Integers:
    """Return for each call the index of its return, UNPAIRED where it has none.

    Each side is its moments, ascending, and its key, column by column. A return belongs to the last call
    before it with an equal key, unless that one has returned already; a call and a return at one moment are
    in this order.
    """
    found = np.full(len(calls[0]), UNPAIRED, np.int64)
    key, count = _numbered(calls[1], returns[1]), len(found)
    times = np.concatenate([calls[0], returns[0]])
    is_call = np.arange(len(times)) < count
    order = np.lexsort((~is_call, times, key))
    follows = order[1:][is_call[order[:-1]] & ~is_call[order[1:]] & (key[order[1:]] == key[order[:-1]])]
    preceding = order[:-1][is_call[order[:-1]] & ~is_call[order[1:]] & (key[order[1:]] == key[order[:-1]])]
    found[preceding] = follows - count
    return found


def _numbered(one: Sequence[Numbers], other: Sequence[Numbers]) -> Integers:
    """Return a number for each row of two tables, one after the other: equal for equal rows."""
    key: Integers = np.zeros(len(one[0]) + len(other[0]), np.int64)
    for first, second in zip(one, other, strict=True):
        _, column = np.unique(np.concatenate([first, second]), return_inverse=True)
        _, key = np.unique(key * (int(column.max(initial=0)) + 1) + column, return_inverse=True)
    return key


def paired_by_stages(
    calls: tuple[Integers, Sequence[Numbers]],
    returns: tuple[Integers, Sequence[Numbers]],
    usable: tuple[Flags, Flags],
) -> Integers:
    """Return the pairs by the whole key first, then what is left without the key's last column.

    ``usable`` tells the calls and the returns whose keys are known.
    """
    found = np.full(len(calls[0]), UNPAIRED, np.int64)
    free = [usable[0].copy(), usable[1].copy()]
    for columns in (len(calls[1]), len(calls[1]) - 1):
        own, others = np.flatnonzero(free[0]), np.flatnonzero(free[1])
        result = paired(
            (calls[0][own], [column[own] for column in calls[1][:columns]]),
            (returns[0][others], [column[others] for column in returns[1][:columns]]),
        )
        hit = result != UNPAIRED
        found[own[hit]] = others[result[hit]]
        free[0][own[hit]] = False
        free[1][others[result[hit]]] = False
    return found
