"""Framing takes any bytes in any pieces, and gives back what was put in."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracedbg.gdb.framing import Damaged, Event, Mark, Notification, Packet, PacketReader, frame

contents = st.binary(max_size=300)
repetitive = st.lists(st.tuples(st.sampled_from(b"0x}*#$+-a"), st.integers(1, 120)), max_size=12).map(
    lambda runs: b"".join(bytes((byte,)) * count for byte, count in runs)
)


def feed(data: bytes, cuts: list[int], reader: PacketReader | None = None) -> list[Event]:
    """Feed bytes in pieces."""
    taker = PacketReader() if reader is None else reader
    edges = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [event for start, stop in pairwise(edges) for event in taker.feed(data[start:stop])]


@given(st.lists(contents, max_size=5), st.lists(st.integers(0, 5000), max_size=8))
def test_packets_come_out_as_they_went_in_however_they_are_cut(packets: list[bytes], cuts: list[int]) -> None:
    data = b"".join(frame(content) for content in packets)
    assert feed(data, cuts) == [Packet(content) for content in packets]


@given(repetitive, st.lists(st.integers(0, 5000), max_size=4))
def test_run_lengths_are_undone_by_a_client(content: bytes, cuts: list[int]) -> None:
    data = frame(content, run_lengths=True)
    assert len(data) <= len(frame(content))
    assert feed(data, cuts, PacketReader(run_lengths=True)) == [Packet(content)]


@given(st.binary(max_size=400), contents, st.lists(st.integers(0, 5000), max_size=6), st.booleans())
def test_a_packet_after_any_garbage_arrives(
    garbage: bytes, content: bytes, cuts: list[int], runs: bool
) -> None:
    # A mark in the garbage, or the end of a packet that began there, may come first.
    data = garbage + b"#00" + frame(content)
    assert feed(data, cuts, PacketReader(run_lengths=runs))[-1] == Packet(content)


def test_long_runs_of_zeros_are_short_on_the_wire() -> None:
    assert len(frame(b"0" * 8192, run_lengths=True)) < 300
    assert frame(b"0" * 4, run_lengths=True) == b"$0* #7a"


@pytest.mark.parametrize("repeats", [3, 6, 7, 8, 13, 14, 15, 16, 96, 97, 98])
def test_no_run_length_looks_like_another_sign(repeats: int) -> None:
    body = frame(b"7" * (repeats + 1), run_lengths=True)[1:-3]
    assert not set(body) & set(b"$#+-")


def test_marks_stand_between_packets() -> None:
    events = PacketReader().feed(b"+-\x03" + frame(b"g") + b"+")
    assert events == [Mark.ACK, Mark.NAK, Mark.INTERRUPT, Packet(b"g"), Mark.ACK]


def test_a_packet_that_begins_again_counts_from_its_last_start() -> None:
    assert PacketReader().feed(b"$m800" + frame(b"g")) == [Packet(b"g")]


def test_a_notification_is_told_from_a_packet() -> None:
    assert PacketReader().feed(b"%Stop:T05#" + b"%02x" % (sum(b"Stop:T05") % 256)) == [
        Notification(b"Stop:T05")
    ]


@pytest.mark.parametrize("data", [b"$g#00", b"$g#zz", b"$a}#de"])
def test_a_damaged_packet_is_said_to_be_one(data: bytes) -> None:
    (event,) = PacketReader().feed(data)
    assert isinstance(event, Damaged)


def test_a_packet_without_an_end_is_given_up() -> None:
    reader = PacketReader(limit=100)
    events = [event for _ in range(10) for event in reader.feed(b"$" + b"a" * 50)]
    assert [type(event) for event in events] == [Damaged] * len(events)
    assert events
    assert reader.feed(b"#00" + frame(b"g"))[-1] == Packet(b"g")
