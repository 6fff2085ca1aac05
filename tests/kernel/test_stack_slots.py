"""What is found of slots equals what a loop over the accesses finds."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tracedbg.kernel.stack_slots import FirstOfKind, SlotEvents, last_before

KINDS = st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=4)
ACCESSES = st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=24)


def events(accesses: list[tuple[bool, int]], *, is_load: bool) -> SlotEvents:
    rows = [row for row, (load, _) in enumerate(accesses) if load == is_load]
    return SlotEvents(np.array(rows, np.int64), np.array([accesses[row][1] for row in rows], np.int64))


@given(ACCESSES)
def test_last_event_before_each_load_is_found(accesses: list[tuple[bool, int]]) -> None:
    expected = [
        max((row for row in range(load) if accesses[row] == (False, slot)), default=-1)
        for load, (is_load, slot) in enumerate(accesses)
        if is_load
    ]

    found = last_before(events(accesses, is_load=False), events(accesses, is_load=True))

    assert found.tolist() == expected


@given(KINDS)
def test_the_first_two_of_each_kind_pass_over_all_epochs(epochs: list[list[int]]) -> None:
    seen: list[int] = []
    first = FirstOfKind(2)
    for kinds in epochs:
        expected = []
        for place, kind in enumerate(kinds):
            if seen.count(kind) < 2:
                expected.append(place)
            seen.append(kind)

        assert first.chosen(np.array(kinds, np.int64)).tolist() == expected
