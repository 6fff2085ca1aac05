"""Register values keep their order through the grouping by instruction."""

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from tracedbg.format import grouping


@given(
    st.integers(1, 9),
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, (1 << 64) - 1)), max_size=60),
)
def test_values_survive_segments_of_any_size(segment: int, rows: list[tuple[int, int]]) -> None:
    keys = np.array([key for key, _ in rows], np.int64)
    values = np.array([value for _, value in rows], np.uint64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grouping, "SEGMENT", segment)
        stored = grouping.encode(values, keys)
        assert stored.dtype == np.uint64
        assert grouping.decode(stored, keys).tolist() == values.tolist()


def test_values_survive_several_whole_segments() -> None:
    random = np.random.default_rng(5)
    count = 2 * grouping.SEGMENT + 1234
    keys = random.integers(0, 300, count)
    values = random.integers(0, 1 << 64, count, np.uint64)
    stored = grouping.encode(values, keys)
    assert np.array_equal(grouping.decode(stored, keys), values)
    for start in range(0, count, grouping.SEGMENT):
        own = slice(start, start + grouping.SEGMENT)
        assert np.array_equal(grouping.decode_segment(stored[own], keys[own]), values[own])


def test_a_segment_is_sorted_by_instruction_and_holds_differences() -> None:
    keys = np.array([7, 3, 7, 3, 7])
    values = np.array([0b0001, 0b1000, 0b0011, 0b1001, 0b0111], np.uint64)
    assert grouping.encode(values, keys).tolist() == [0b1000, 0b0001, 0b0001, 0b0010, 0b0100]
