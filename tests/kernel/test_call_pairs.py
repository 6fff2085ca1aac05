"""Pairs of calls and returns, against one loop over everything in order."""

import time

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tracedbg.kernel.call_pairs import UNPAIRED, paired, paired_by_stages

EVENTS = st.lists(st.tuples(st.booleans(), st.integers(0, 2), st.integers(0, 1)), max_size=40)


def reference(events: list[tuple[bool, int, int]]) -> list[int]:
    """The index of each call's return, by a stack of one open call for each key."""
    found: list[int] = []
    waiting: dict[tuple[int, int], int] = {}
    returns = 0
    for is_call, one, other in events:
        if is_call:
            waiting[one, other] = len(found)
            found.append(UNPAIRED)
        else:
            call = waiting.pop((one, other), None)
            if call is not None:
                found[call] = returns
            returns += 1
    return found


def columns(events: list[tuple[bool, int, int]], is_call: bool) -> tuple[np.ndarray, list[np.ndarray]]:
    rows = [(t, one, other) for t, (kind, one, other) in enumerate(events) if kind == is_call]
    table = np.array(rows, np.int64).reshape(-1, 3)
    return table[:, 0], [table[:, 1].astype(np.uint64), table[:, 2].astype(np.uint64)]


@settings(deadline=None)
@given(EVENTS)
def test_a_return_belongs_to_the_last_open_call_with_its_key(events: list[tuple[bool, int, int]]) -> None:
    found = paired(columns(events, is_call=True), columns(events, is_call=False))
    assert found.tolist() == reference(events)


def staged(calls: list[tuple[int, int, int]], returns: list[tuple[int, int, int]]) -> list[int]:
    """Pairs of (t, key, detail) by stages; all keys are known."""
    sides = []
    for rows in (calls, returns):
        table = np.array(rows, np.int64).reshape(-1, 3)
        sides.append((table[:, 0], [table[:, 1].astype(np.uint64), table[:, 2].astype(np.uint64)]))
    usable = np.ones(len(calls), np.bool_), np.ones(len(returns), np.bool_)
    found: list[int] = paired_by_stages(sides[0], sides[1], usable).tolist()
    return found


def test_a_child_in_its_parents_memory_does_not_take_the_parents_return() -> None:
    assert staged([(10, 7, 1)], [(20, 7, 2), (30, 7, 1)]) == [1]


def test_what_tells_callers_apart_may_change_where_nobody_else_returns() -> None:
    assert staged([(10, 7, 1)], [(20, 7, 2)]) == [0]


def test_a_call_that_never_returned_does_not_take_a_later_callers_return() -> None:
    assert staged([(10, 7, 1), (50, 7, 1)], [(60, 7, 1)]) == [UNPAIRED, 0]


def test_a_key_that_is_not_known_pairs_nothing() -> None:
    times, key = np.array([1]), [np.array([7], np.uint64)] * 2
    known, unknown = np.ones(1, np.bool_), np.zeros(1, np.bool_)
    assert paired_by_stages((times, key), (times + 1, key), (unknown, known)).tolist() == [UNPAIRED]
    assert paired_by_stages((times, key), (times + 1, key), (known, unknown)).tolist() == [UNPAIRED]


def test_a_million_calls_are_paired_in_seconds() -> None:
    count = 1_000_000
    times = np.arange(count, dtype=np.int64) * 100
    key = [np.arange(count, dtype=np.uint64) % np.uint64(50)] * 4
    start = time.process_time()
    found = paired((times, key), (times + 50, key))
    assert (found == np.arange(count)).all()
    assert time.process_time() - start < 20
