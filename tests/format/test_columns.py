"""Packing and unpacking of messages."""

import struct
from typing import Any

import numpy as np
import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tracedbg.errors import TraceFormatError
from tracedbg.format.columns import SEGMENT_BYTES, PackedMessage, Packer
from tracedbg.format.schema import ACCESSES, CONSOLE, EPOCH, MESSAGES, WRITES, Column, Message


def random_column(column: Column, seed: int, rows: int) -> NDArray[Any]:
    dtype = np.dtype("<" + column.dtype)
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max, rows, dtype, endpoint=True)


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from(MESSAGES), st.integers(0, 1 << 30), st.lists(st.integers(0, 50), min_size=40, max_size=40)
)
def test_columns_come_back_as_they_were(message: Message, seed: int, rows: list[int]) -> None:
    columns = {column.name: random_column(column, seed, rows[i]) for i, column in enumerate(message.columns)}
    packed = PackedMessage.of(message, Packer().pack(message, columns))
    for name, column in columns.items():
        assert packed.rows(name) == len(column)
        assert packed.column(name).dtype == column.dtype
        np.testing.assert_array_equal(packed.column(name), column)


@pytest.mark.parametrize("name", ["t", "flags", "virtual", "mapping.access"])
@pytest.mark.parametrize("extra", [-1, 0, 1])
def test_slices_of_long_columns_are_those_of_the_whole(name: str, extra: int) -> None:
    column = next(column for column in ACCESSES.columns if column.name == name)
    step = SEGMENT_BYTES // np.dtype(column.dtype).itemsize
    rows = random_column(column, 5, 3 * step + extra)
    packed = PackedMessage.of(ACCESSES, Packer(3).pack(ACCESSES, {name: rows}))
    np.testing.assert_array_equal(packed.column(name), rows)
    for start, stop in ((0, 1), (step - 1, step + 1), (step, 2 * step), (3 * step - 2, 9 * step), (7, 7)):
        np.testing.assert_array_equal(packed.slice(name, start, stop), rows[start:stop])


def test_empty_columns_cost_eight_bytes_each() -> None:
    assert Packer().pack(EPOCH, {}) == bytes(8 * len(EPOCH.columns))


def test_what_the_schema_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match="message writes has no column valeu"):
        Packer().pack(WRITES, {"valeu": np.zeros(1, "<u8")})
    with pytest.raises(TypeError, match="column value wants u8 rows, not int64"):
        Packer().pack(WRITES, {"value": np.zeros(1, np.int64)})


def frame(content: bytes) -> bytes:
    return zstandard.ZstdCompressor(write_checksum=True).compress(content)


GOOD = frame(bytes(16))


@pytest.mark.parametrize(
    ("payload", "problem"),
    [
        (b"", "message writes is shorter than its column headers"),
        (
            struct.pack("<II", 1 << 31, 4) + bytes(4),
            "column value claims 2147483648 rows, more than the limit",
        ),
        (struct.pack("<II", 2, 0), "column value claims 2 rows in 0 bytes"),
        (struct.pack("<II", 0, 4) + bytes(4), "column value claims 0 rows in 4 bytes"),
        (struct.pack("<II", 2, 99) + GOOD, "column value claims 2 rows in 99 bytes"),
        (struct.pack("<II", 2, len(GOOD)) + GOOD + b"x", "message writes has 30 bytes, its columns 29"),
        (struct.pack("<II", 3, len(GOOD)) + GOOD, "column value does not have 3 rows of u8"),
        (struct.pack("<II", 2, 4) + b"none", "column value cannot be decompressed: "),
        (struct.pack("<II", 2, len(GOOD) + 1) + GOOD + b"x", "column value cannot be decompressed: "),
        (struct.pack("<II", 1 << 20, 4) + bytes(4), "column value is shorter than its table of segments"),
        (
            struct.pack("<II", 1 << 20, 80) + bytes(80),
            "the segments of column value do not add up to its length",
        ),
    ],
)
def test_what_is_malformed_is_named(payload: bytes, problem: str) -> None:
    with pytest.raises(TraceFormatError) as caught:
        PackedMessage.of(WRITES, payload, "x.trace").column("value")
    assert caught.value.path == "x.trace"
    assert caught.value.problem.startswith(problem)


def test_a_frame_that_claims_a_huge_size_is_refused_before_it_is_unpacked() -> None:
    bomb = bytearray(frame(bytes(1 << 20)))
    payload = struct.pack("<IIII", 0, 0, 8, len(bomb)) + bytes(bomb)
    with pytest.raises(TraceFormatError, match="column byte does not have 8 rows of u1"):
        PackedMessage.of(CONSOLE, payload).column("byte")


def test_a_flipped_bit_in_a_column_never_goes_unseen() -> None:
    rows = np.arange(100, dtype="<u8") * 12345
    payload = bytearray(Packer().pack(WRITES, {"value": rows}))
    for place in range(8, len(payload)):
        payload[place] ^= 4
        try:
            found = PackedMessage.of(WRITES, bytes(payload)).column("value")
        except TraceFormatError:
            found = rows
        np.testing.assert_array_equal(found, rows)
        payload[place] ^= 4
