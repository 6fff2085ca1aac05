"""A capture as a file: what is known of it and what is not, and what `verify` makes of a wrong one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

import tracedbg
from tests.attach import synthetic
from tests.attach.synthetic import GUEST, PAGE, PC, RAM, write_capture, write_loop
from tracedbg.cli.main import main
from tracedbg.errors import TraceFormatError
from tracedbg.format.reader import TraceFile
from tracedbg.format.schema import EPOCH, SPAN, StopReason
from tracedbg.gdb.capture.epoch import EpochColumns
from tracedbg.gdb.capture.writer import CaptureWriter, Told
from tracedbg.store import Trace
from tracedbg.verify.verify import verify


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "capture.bin"
    write_capture(found)
    return found


def test_it_is_true(path: Path) -> None:
    report = verify(path)
    assert report.examples == []
    assert (report.passed, report.is_capture, report.gaps, report.instructions) == (True, True, 1, 4)
    assert report.registers > 0


def test_memory_is_known_where_it_was_read_and_only_until_the_guest_runs(path: Path) -> None:
    with tracedbg.open(path) as trace:
        first, second = trace.at(0).memory, trace.at(1).memory
        assert first.read_physical(RAM + PAGE, 2).data == b"\x22\x22"
        forgotten = second.read_physical(RAM + PAGE, 2)
        assert (forgotten.mask, forgotten.data) == (b"\0\0", b"\0\0")
        assert [gap.reason for gap in forgotten.gaps] == [
            "it was not read since the guest last ran unseen, or a device may have written there"
        ]
        assert second.read_physical(RAM, 2).data == b"\x33\x33"
        never = first.read_physical(RAM + 5 * PAGE, 8)
        assert never.integer is None


def test_steps_keep_what_is_known_and_add_their_stores(path: Path) -> None:
    with tracedbg.open(path) as trace:
        words = [trace.at(t).memory.read_physical(RAM + 8, 8).integer for t in range(1, 5)]
        assert words == [0x3333333333333333] * 2 + [6] * 2
        write = trace.last_write((RAM + 8, 8), "end")
        assert write is not None
        assert (write.t, write.value, trace.pc_of(write)) == (2, 6, PC + 4)
        assert trace.last_write((RAM + 8, 8), 2) is None


def test_registers_are_unknown_where_the_stub_shows_none(path: Path) -> None:
    with tracedbg.open(path) as trace:
        assert trace.at(0).registers["sepc"] is None
        assert trace.at(1).registers["sepc"] is not None
        assert [trace.at(t).registers["a0"] for t in range(5)] == [1, 5, 6, 6, 7]


def test_every_hart_stands_somewhere_and_also_at_the_end(path: Path) -> None:
    with tracedbg.open(path) as trace:
        assert [trace.at(t).pc for t in range(5)] == [PC, PC, PC + 4, PC + 8, PC + 12]
        assert [trace.at(t, hart=1).pc for t in range(5)] == [RAM + 0x800] * 5
        assert trace.at("end").privilege == 3


def test_an_unfinished_file_shows_the_same(tmp_path: Path, path: Path) -> None:
    cut = tmp_path / "cut.bin"
    write_capture(cut, finished=False)
    with tracedbg.open(cut) as trace, tracedbg.open(path) as whole:
        assert (trace.end, trace.at("end").pc) == (whole.end, whole.at("end").pc)
        assert dict(trace.at(3).registers) == dict(whole.at(3).registers)


def test_every_subcommand_answers_over_it(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["info", str(path), "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert (info["source"], info["stops"], info["gaps"]) == ("gdbstub", 3, 1)
    assert main(["state", str(path), "--at", "0"]) == 0
    assert any(line.split() == ["sepc", "??"] for line in capsys.readouterr().out.splitlines())
    assert main(["who", str(path), hex(RAM + 8)]) == 0
    assert main(["accesses", str(path), hex(RAM + 8), "--json"]) == 0
    assert main(["verify", str(path)]) == 0
    assert main(["console", str(path)]) == 0


def test_no_detector_judges_what_ran_unseen_in_between(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyze", str(path)]) == 3
    told = capsys.readouterr().out
    assert told.startswith("Nothing was looked for.")
    assert "a capture with gaps in between, 1 here" in told
    assert main(["analyze", str(path), "--json"]) == 3
    found = json.loads(capsys.readouterr().out)
    assert (found["clean"], found["findings"]) == (False, [])
    assert [check["done"] for check in found["checks"]] == [False]


def test_a_capture_of_nothing_but_a_stop_can_be_opened(tmp_path: Path) -> None:
    path = tmp_path / "stop.bin"
    with path.open("wb") as file:
        writer = CaptureWriter(file, harts=2)
        writer.begin(GUEST)
        harts = [synthetic.state(PC), synthetic.state(PC)]
        writer.epoch(EpochColumns(0, 0, harts))
        writer.tell(synthetic.stop(0, StopReason.ATTACHED, harts, {RAM: 0}))
        writer.finish({"how": "detach", "exit_code": None, "instructions": 0, "notes": []})
    assert verify(path).passed
    with tracedbg.open(path) as trace:
        assert (trace.start, trace.end, trace.at("end").pc) == (0, 0, PC)
        assert trace.at(0).memory.read_physical(RAM, 8).integer == 0


def told(change: str) -> Told:
    """The rows of the last stop with one thing wrong."""
    right = synthetic.stop(4, StopReason.STEP, [synthetic.state(PC)] * 2, {})
    wrong = {
        "gap": Told(gaps=[2]),
        "hart": replace(right, places=[(4, 2, PC, 3)]),
        "reason": replace(right, stops=[(4, 0, 9, 0)]),  # type: ignore[list-item]
        "later": replace(right, places=[(5, 0, PC, 3)]),
        "sample": replace(right, samples=[(4, RAM + 4, bytes(8))]),
        "between": replace(right, samples=[(3, RAM, bytes(8))]),
        "privilege": replace(right, places=[(4, 0, PC, 7)]),
    }
    return wrong[change]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("gap", "a gap is not where an epoch begins or ends"),
        ("hart", "column place.hart names one that the guest lacks"),
        ("reason", "a stop has no known reason"),
        ("later", "a place lies beyond the trace's end"),
        ("sample", "a sample is not of whole words"),
        ("between", "a sample is not where an epoch begins or ends"),
        ("privilege", "a place has no known privilege"),
    ],
)
def test_a_stop_that_does_not_fit_is_not_true(
    change: str, problem: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = CaptureWriter.tell

    def altered(self: CaptureWriter, rows: Told) -> None:
        tell(self, told(change) if self.t == 4 else rows)

    monkeypatch.setattr(CaptureWriter, "tell", altered)
    path = tmp_path / "wrong.bin"
    write_capture(path)
    report = verify(path)
    assert not report.passed
    assert len(report.examples) == 1
    assert problem in report.examples[0]


def test_a_hart_that_stood_elsewhere_than_it_went_on_is_not_true(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = CaptureWriter.tell

    def altered(self: CaptureWriter, rows: Told) -> None:
        moved = [(t, hart, pc + 2 * (t == 1), privilege) for t, hart, pc, privilege in rows.places]
        tell(self, replace(rows, places=moved))

    monkeypatch.setattr(CaptureWriter, "tell", altered)
    path = tmp_path / "wrong.bin"
    write_capture(path)
    assert verify(path).examples == ["registers: t 1: the hart did not stand where it went on"]


def test_a_stop_that_tells_of_a_moment_after_its_own_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell = CaptureWriter.tell
    monkeypatch.setattr(
        CaptureWriter, "tell", lambda self, rows: tell(self, told("later") if self.t == 4 else rows)
    )
    path = tmp_path / "altered.bin"
    write_capture(path)
    problem = "the stops contradict themselves in place"
    with tracedbg.open(path) as trace, pytest.raises(TraceFormatError, match=problem):
        _ = trace.at(4).pc


def test_a_recording_has_no_stops() -> None:
    with Trace.open(Path(__file__).parents[2] / "traces" / "stack_futex.bin") as trace:
        assert (len(trace.stops.gaps), len(trace.stops.stops.t)) == (0, 0)
        assert not trace.guest.is_capture


@pytest.mark.slow
def test_repair_finishes_a_capture_that_was_cut_short(
    tmp_path: Path, path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cut, repaired = tmp_path / "cut.bin", tmp_path / "repaired.bin"
    write_capture(cut, finished=False)
    assert main(["repair", str(cut), "-o", str(repaired)]) == 0
    capsys.readouterr()
    report = verify(repaired)
    assert (report.examples, report.passed, report.gaps, report.losses) == ([], True, 1, ())
    with tracedbg.open(repaired) as trace, tracedbg.open(path) as whole:
        assert trace.store.losses == ()
        for t in range(whole.end + 1):
            assert dict(trace.at(t).registers) == dict(whole.at(t).registers)
            assert trace.at(t).pc == whole.at(t).pc
            pages = [each.at(t).memory.read_physical(RAM, 2 * PAGE) for each in (trace, whole)]
            assert pages[0] == pages[1]


@pytest.mark.slow
@pytest.mark.parametrize("share", [1.0, 0.7, 0.4])
def test_a_repaired_capture_has_the_spans_of_what_was_saved(tmp_path: Path, share: float) -> None:
    path, cut, repaired = (tmp_path / f"{name}.bin" for name in ("loop", "cut", "repaired"))
    write_loop(path, 100)
    content = path.read_bytes()
    cut.write_bytes(content[: int(len(content) * share) - 1])
    assert main(["repair", str(cut), "-o", str(repaired)]) == 0
    report = verify(repaired)
    assert (report.examples, report.passed) == ([], True)
    with TraceFile(repaired) as file:
        epochs = file.count(EPOCH.topic)
        assert 20 < epochs <= 101
        assert [file.count(f"{SPAN.topic}/{level}") for level in range(3)] == [
            epochs, epochs // 8, epochs // 64
        ]  # fmt: skip
    with tracedbg.open(repaired) as trace:
        write = trace.last_write((RAM + 8, 8), trace.end)
        assert write is not None
        assert write.t == trace.end - 2


def test_what_was_not_seen_is_not_said_to_be_unused(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["what", str(path), hex(RAM + 9 * PAGE), "--at", "end", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["owner"] == "unknown"
