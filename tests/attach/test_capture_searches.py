"""Searches over captures of many stops find what a list of their accesses says, and look at few of them."""

from pathlib import Path
from random import Random

import numpy as np
import pytest

import tracedbg
from tests.attach.synthetic import GUEST, PAGE, PC, RAM, STORE, code, state, stop
from tests.verify.alteration import Altered
from tracedbg.format.schema import AccessKind, StopReason
from tracedbg.gdb.capture.access import Access
from tracedbg.gdb.capture.epoch import EpochColumns
from tracedbg.gdb.capture.writer import CaptureWriter
from tracedbg.store import Trace as StoredTrace
from tracedbg.verify.verify import verify

STOPS = 150
LOAD = bytes.fromhex("03b50500")
"""ld a0, 0(a1)"""


def write_many(path: Path) -> list[tuple[int, int, bool]]:
    """A step at each stop, with a gap before one in three; returns t, address and kind of the accesses."""
    random = Random(4)
    made = []
    with path.open("wb") as file:
        writer = CaptureWriter(file, harts=2)
        writer.begin(GUEST)
        idle = state(RAM + 0x800)
        harts = [state(PC), idle]
        writer.epoch(EpochColumns(0, 0, harts))
        writer.tell(stop(0, StopReason.ATTACHED, harts, {}))
        for t in range(STOPS):
            epoch = EpochColumns(t, 0, harts)
            address = RAM + PAGE * random.randrange(1, 9) + random.choice([0, 8, 64, PAGE - 4])
            is_store = random.random() < 0.5
            second = address + 4 if address % PAGE == PAGE - 4 else None
            epoch.start(writer.block(code(PC + 4 * t, STORE if is_store else LOAD)))
            # Of one value all, so that nothing that is loaded contradicts what was stored.
            epoch.access(Access(address, address, 8, 0, is_store, AccessKind.RAM, second))
            made.append((t, address, is_store))
            writer.epoch(epoch)
            harts = [state(PC + 4 * t + 4), idle]
            told = stop(t + 1, StopReason.STEP, harts, {})
            told.gaps += [t + 1] * (t % 3 == 0)
            writer.tell(told)
        writer.finish({"how": "detach", "exit_code": None, "instructions": STOPS, "notes": []})
    return made


def test_searches_find_what_was_done(tmp_path: Path) -> None:
    path = tmp_path / "many.bin"
    made = write_many(path)
    report = verify(path)
    assert (report.examples, report.passed) == ([], True)
    with tracedbg.open(path) as trace:
        for frame in range(10):
            for offset, size in ((0, 1), (8, 8), (60, 8), (PAGE - 8, 16), (200, 8)):
                start = RAM + PAGE * frame + offset
                touching = [each for each in made if each[1] < start + size and start < each[1] + 8]
                assert trace.accesses((start, size))["t"].tolist() == [t for t, _, _ in touching]
                stores = [t for t, _, is_store in touching if is_store]
                last = trace.last_write((start, size), "end")
                assert (None if last is None else last.t) == (stores[-1] if stores else None)
        for t in range(0, STOPS, 37):
            assert trace.executions(PC + 4 * t)["t"].tolist() == [t]
            assert trace.at(t).pc == PC + 4 * t


def test_what_never_happened_is_not_searched_stop_by_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.bin"
    write_many(path)
    looked_at: list[int] = []
    epoch = StoredTrace.epoch

    def counted(self: StoredTrace, index: int) -> object:
        looked_at.append(index)
        return epoch(self, index)

    with tracedbg.open(path) as trace:
        assert trace.store.epochs == STOPS + 1
        monkeypatch.setattr(StoredTrace, "epoch", counted)
        assert trace.last_write((RAM + 12 * PAGE, 8), "end") is None
        assert len(trace.accesses((RAM + 12 * PAGE, 8))) == 0
        assert {each.level for each in trace.store.spans.cover(0, 64, reverse=True, below=1)} == {0}
        for each in trace.store.spans.cover(0, 64, reverse=True, below=1):
            assert not trace.store.spans.span(each).writes(RAM + 12 * PAGE, RAM + 13 * PAGE)
        # The ends of what is searched.
        assert len(looked_at) < 10


@pytest.mark.parametrize(
    ("column", "problem"),
    [
        ("written.mask", "frames differ"),
        ("read.lines", "loaded from differ"),
        ("written.bytes", "it has bytes"),
    ],
)
def test_a_span_that_says_otherwise_is_not_true(column: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "many.bin"
    write_many(path)
    altered = Altered.of(path)
    columns = altered.part("span/1").columns
    if column == "written.bytes":
        columns[column] = np.zeros(4, np.uint8)
    else:
        columns[column] = columns[column].copy()
        columns[column][0] ^= 1
    report = verify(altered.write(tmp_path / "altered.bin"))
    assert not report.passed
    assert problem in report.examples[0]
