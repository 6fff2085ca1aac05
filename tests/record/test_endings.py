"""However a recorded guest ends, the trace holds everything up to its end, and says how it ended."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.record import guests
from tests.record.guests import build
from tests.record.runs import Running, ending, is_gone, kill, left_beside, prove, tracedbg, wait_until
from tracedbg.store import Trace

pytestmark = pytest.mark.slow


@pytest.fixture
def trace(tmp_path: Path) -> Path:
    return tmp_path / "t.bin"


def test_a_guest_that_powers_off_is_recorded_to_its_last_instruction(trace: Path, tmp_path: Path) -> None:
    done = tracedbg("record", "-o", trace, "--", *build(guests.SHUT_DOWN, tmp_path).command)
    assert (done.status, done.out) == (0, "hi\n")
    count = prove(trace)
    assert done.err.startswith(f"tracedbg: {trace}: {count:,} instructions, ")
    assert done.err.endswith("ended by guest shutdown\n")
    assert ending(trace) == ("guest-shutdown", 0)
    assert left_beside(trace) == ["t.bin"]


def test_the_guests_own_exit_code_is_kept(trace: Path, tmp_path: Path) -> None:
    done = tracedbg("record", "-o", trace, "--", *build(guests.FAIL, tmp_path).command)
    assert done.status == 7
    assert ending(trace) == ("guest-panic", 7)


def test_a_reset_is_in_the_trace_and_the_run_goes_on(trace: Path, tmp_path: Path) -> None:
    command = build(guests.RESET, tmp_path).command
    assert tracedbg("record", "-o", trace, "--", *command, "-no-reboot").status == 0
    assert ending(trace) == ("guest-reset", 0)
    trace.unlink()
    assert tracedbg("record", "-o", trace, "--", *command).status == 0
    prove(trace)
    with Trace.open(trace) as opened:
        assert len(opened.epoch(0).resets) == 1
    assert ending(trace) == ("guest-shutdown", 0)


@pytest.mark.parametrize("last", [(), ("--last", 5)], ids=["whole", "newest part"])
@pytest.mark.parametrize(
    ("number", "how"),
    [
        (signal.SIGTERM, ("signal", 0)),
        (signal.SIGINT, ("signal", 0)),
        (signal.SIGKILL, ("killed", 137)),
    ],
)
def test_a_signal_to_qemu_ends_the_recording_and_loses_nothing(
    trace: Path, tmp_path: Path, number: signal.Signals, how: tuple[str, int], last: tuple[object, ...]
) -> None:
    with Running(trace, last, build(guests.COUNT, tmp_path).command) as running:
        running.wait_until_written()
        kill(running.qemu(), number)
        done = running.end()
    prove(trace)
    assert ending(trace) == how
    assert done.status == how[1]
    assert left_beside(trace) == ["t.bin"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_to_the_recorder_goes_to_qemu(trace: Path, tmp_path: Path, number: signal.Signals) -> None:
    with Running(trace, (), build(guests.COUNT, tmp_path).command) as running:
        running.wait_until_written()
        kill(running.process.pid, number)
        assert running.end().status == 0
    prove(trace)
    assert ending(trace) == ("signal", 0)


def test_timeout_ends_the_recording_as_it_ends_qemu(trace: Path, tmp_path: Path) -> None:
    command = ["timeout", "8", *build(guests.COUNT, tmp_path).command]
    assert tracedbg("record", "-o", trace, "--", *command).status == 124
    prove(trace)
    assert ending(trace) == ("signal", None)


@pytest.mark.parametrize("last", [(), ("--last", 5)], ids=["whole", "newest part"])
def test_a_killed_recorder_ends_qemu_and_leaves_a_trace_to_repair(
    trace: Path, tmp_path: Path, last: tuple[object, ...]
) -> None:
    with Running(trace, last, build(guests.COUNT, tmp_path).command) as running:
        running.wait_until_written()
        qemu = running.qemu()
        kill(running.process.pid)
        running.end()
        wait_until(lambda: is_gone(qemu))
    assert left_beside(trace) == ["t.bin.partial", "t.bin.slots"]
    refused = tracedbg("record", "-o", trace, "--", "true")
    assert refused.status == 2
    assert "an interrupted recording is here; save it with `tracedbg repair" in refused.err
    repaired = tmp_path / "repaired.bin"
    done = tracedbg("repair", f"{trace}.partial", "-o", repaired)
    assert done.status == 0, done.err
    count = prove(repaired, ram=False)
    assert done.out == f"{repaired}: {count:,} instructions saved; nothing that had been recorded is lost\n"
    assert ending(repaired) == ("recorder-killed", None)
    with Trace.open(repaired) as opened:
        assert [entry.name for entry in opened.attachments] == [str(tmp_path / "guest.elf")]


def test_a_running_recording_is_not_repaired(trace: Path, tmp_path: Path) -> None:
    with Running(trace, (), build(guests.COUNT, tmp_path).command) as running:
        running.wait_until_written()
        done = tracedbg("repair", f"{trace}.partial", "-o", tmp_path / "x.bin")
        assert (done.status, done.err) == (
            2, f"tracedbg: {trace}.partial: this recording is still under way; end it first\n",
        )  # fmt: skip
        kill(running.qemu())
        running.end()
    assert not (tmp_path / "x.bin").exists()


def test_a_guest_with_a_bad_trap_vector_is_told_of_once(trace: Path, tmp_path: Path) -> None:
    command = ["timeout", "14", *build(guests.BAD_VECTOR, tmp_path).command]
    done = tracedbg("record", "-o", trace, "--", *command)
    note = "the guest takes traps without running any instruction"
    assert done.err.count(note) == 1
    prove(trace)
    with Trace.open(trace) as opened:
        assert opened.ending is not None
        assert opened.ending.notes[0].startswith(note)
        state = opened.metadata("last-state")
        assert state is not None
        assert "mtvec    0000000000050000" in state["registers"]
        assert state["t"] == opened.end


def test_standard_input_reaches_the_guest_and_its_answer_comes_back(trace: Path, tmp_path: Path) -> None:
    guest = build(guests.ECHO, tmp_path)
    done = tracedbg("record", "-o", trace, "--", *guest.command, given="abcq")
    assert (done.status, done.out) == (0, "abcq")
    prove(trace)
    with Trace.open(trace) as opened:
        assert opened.console[1].tobytes() == b"abcq"


def test_what_is_stored_to_the_divisor_latch_is_no_console_output(trace: Path, tmp_path: Path) -> None:
    assert tracedbg("record", "-o", trace, "--", *build(guests.DIVISOR, tmp_path).command).status == 0
    with Trace.open(trace) as opened:
        assert opened.console[1].tobytes() == b"ac"
        assert len(opened.console[0]) == 2


def test_a_full_disk_ends_the_recording_with_a_whole_trace(tmp_path: Path) -> None:
    script = Path(__file__).with_name("full_disk.py")
    guest = build(guests.COUNT, tmp_path)
    command = ["unshare", "--mount", sys.executable, str(script), str(tmp_path / "disk"), *guest.command]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "margin: disk-full 1 passed" in done.stdout
    assert "no margin: disk-full 1 passed" in done.stdout
