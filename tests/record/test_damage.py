"""Traces that were cut short or damaged: what is whole opens, verifies and is repaired; the rest is said."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from tests.record import guests
from tests.record.guests import build
from tests.record.runs import prove, tracedbg
from tracedbg.errors import RecordError, TraceFormatError, UsageError
from tracedbg.format.filebytes import FileBytes
from tracedbg.format.records import iter_places
from tracedbg.format.schema import MESSAGES
from tracedbg.format.writer import topics
from tracedbg.record.repair import repair
from tracedbg.store import Trace
from tracedbg.verify.verify import verify

pytestmark = pytest.mark.slow

STEP = 37
CLEAN = (TraceFormatError, RecordError, UsageError)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, cache_folder: Path) -> Path:
    """A small trace of several epochs."""
    folder = tmp_path_factory.mktemp("damage")
    trace = folder / "whole.bin"
    settings = {**os.environ, "XDG_CACHE_HOME": str(cache_folder)}
    command = build(guests.LOOPS, folder).command
    assert tracedbg("record", "-o", trace, "--", *command, env=settings).status == 0
    return trace


def boundaries(trace: Path) -> Iterator[int]:
    file = FileBytes(trace)
    for _, place in iter_places(file, 8, file.size - 8):
        yield place.offset


def answer(trace: Path) -> tuple[object, ...]:
    """All that the file says, as far as it is whole: verify's counts, and digests of each message."""
    report = verify(trace)
    with Trace.open(trace) as opened:
        printed = opened.console[1].tobytes()
    return report.passed, report.instructions, report.loads, report.stores, printed


def test_a_trace_cut_at_any_length_opens_up_to_the_cut_or_says_that_nothing_is_left(
    recorded: Path, tmp_path: Path
) -> None:
    content = recorded.read_bytes()
    edges = sorted({place + near for place in boundaries(recorded) for near in (-1, 0, 1)})
    cut = tmp_path / "cut.bin"
    seen: set[int | str] = set()
    for length in [*edges, len(content) - 1]:
        cut.write_bytes(content[:length])
        try:
            report = verify(cut)
        except TraceFormatError as error:
            seen.add(error.problem.split(":")[0])
            continue
        assert report.passed, (length, report.examples)
        assert len(report.losses) == 1
        seen.add(report.instructions)
    counts = sorted(count for count in seen if isinstance(count, int))
    assert counts == [0, *(int(end) for end in epoch_ends(recorded))]
    assert {text for text in seen if isinstance(text, str)} <= {
        "the file ends inside its header",
        "the file ends before its first message",
        "is not a trace",
        "holds no description of the guest",
    }


def one_sentence(error: Exception) -> None:
    assert len(str(error).splitlines()) == 1


def epoch_ends(trace: Path) -> list[int]:
    with Trace.open(trace) as opened:
        return [int(opened.epoch(index).end) for index in range(opened.epochs)]


def test_every_length_opens_or_fails_with_one_sentence(recorded: Path, tmp_path: Path) -> None:
    content, ends = recorded.read_bytes(), epoch_ends(recorded)
    cut = tmp_path / "cut.bin"
    with cut.open("wb") as file:
        file.write(content)
        for length in range(len(content) - 1, 0, -STEP):
            file.truncate(length)
            try:
                with Trace.open(cut) as opened:
                    assert len(opened.losses) == 1
                    assert opened.end in ends
            except TraceFormatError as error:
                one_sentence(error)


def test_what_is_whole_of_a_cut_trace_is_repaired(recorded: Path, tmp_path: Path) -> None:
    content, ends = recorded.read_bytes(), epoch_ends(recorded)
    places = list(boundaries(recorded))
    for number, length in enumerate(places[len(places) // 2 :: max(len(places) // 16, 1)]):
        cut, out = tmp_path / f"cut{number}.bin", tmp_path / f"out{number}.bin"
        cut.write_bytes(content[: length + 5])
        repaired = repair(cut, out)
        assert repaired.instructions in ends
        assert len(repaired.losses) >= 1
        whole = repaired.instructions == ends[-1]
        assert prove(out, ram=verify(cut).instructions == ends[-1] and _has_end(out)) == repaired.instructions
        assert whole or not _has_end(out)


def _has_end(trace: Path) -> bool:
    with Trace.open(trace) as opened:
        return len(opened.end_digests[0]) > 0


def test_repairing_a_whole_trace_changes_nothing_that_it_says(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.bin"
    done = tracedbg("repair", recorded, "-o", out)
    count = prove(out)
    assert done == (0, f"{out}: {count:,} instructions saved; nothing that had been recorded is lost\n", "")
    with Trace.open(recorded) as before, Trace.open(out) as after:
        assert after.guest == before.guest
        assert after.ending == before.ending
        assert [entry.name for entry in after.attachments] == [entry.name for entry in before.attachments]
        assert_same(before, after)


def assert_same(first: Trace, second: Trace) -> None:
    """Every message of both is the same."""
    for topic in [topic for message in MESSAGES for topic in topics(message)]:
        one, two = first._source.file, second._source.file
        assert one.count(topic) == two.count(topic), topic
        for index in range(one.count(topic)):
            left, right = one.fetch(topic, index), two.fetch(topic, index)
            for column in left.message.columns:
                np.testing.assert_array_equal(left.column(column.name), right.column(column.name))


def test_a_flipped_bit_anywhere_gives_one_sentence_or_the_same_answer(recorded: Path, tmp_path: Path) -> None:
    content = bytearray(recorded.read_bytes())
    expected = answer(recorded)
    flipped = tmp_path / "flipped.bin"
    edges = {place + near for place in boundaries(recorded) for near in (0, 1, 9, 20)}
    places = sorted(edges | set(range(0, len(content), max(len(content) // 150, 1))))
    failures = 0
    for place in places:
        content[place % len(content)] ^= 1 << place % 8
        flipped.write_bytes(content)
        content[place % len(content)] ^= 1 << place % 8
        try:
            found = answer(flipped)
        except TraceFormatError as error:
            one_sentence(error)
            failures += 1
            continue
        with Trace.open(flipped) as opened:
            assert found == expected or opened.losses, place
    assert failures


def test_a_flipped_bit_is_repaired_up_to_there(recorded: Path, tmp_path: Path) -> None:
    content, ends = bytearray(recorded.read_bytes()), epoch_ends(recorded)
    for number, place in enumerate(range(50, len(content), max(len(content) // 60, 1))):
        content[place] ^= 1 << number % 8
        damaged, out = tmp_path / "damaged.bin", tmp_path / f"out{number}.bin"
        damaged.write_bytes(content)
        content[place] ^= 1 << number % 8
        try:
            repaired = repair(damaged, out)
        except CLEAN as error:
            one_sentence(error)
            assert not out.exists()
            continue
        assert repaired.instructions in ends
        report = verify(out)
        assert report.passed, (place, report.examples)
        assert report.losses == ()


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty: it holds no trace"),
        (b"not a trace at all", "is not a trace: it does not begin as an MCAP file does"),
    ],
)
def test_what_is_no_trace_is_said_and_leaves_nothing(content: bytes, problem: str, tmp_path: Path) -> None:
    damaged, out = tmp_path / "damaged.bin", tmp_path / "out.bin"
    damaged.write_bytes(content)
    assert tracedbg("repair", damaged, "-o", out) == (1, "", f"tracedbg: {damaged}: {problem}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["damaged.bin"]


def test_an_output_that_exists_is_not_overwritten(recorded: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.bin"
    out.write_text("mine")
    done = tracedbg("repair", recorded, "-o", out)
    assert done == (2, "", f"tracedbg: {out} exists: choose another with -o\n")
    assert out.read_text() == "mine"


def test_a_missing_input_is_said(tmp_path: Path) -> None:
    done = tracedbg("repair", tmp_path / "none.bin", "-o", tmp_path / "out.bin")
    assert done == (2, "", f"tracedbg: {tmp_path}/none.bin: there is no such file\n")
