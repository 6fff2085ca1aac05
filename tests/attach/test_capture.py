"""Captures of real guests behind real QEMUs, installed and old: stops, watchpoints, steps, and endings."""

import subprocess
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracedbg
from scripts.tools import parse_qemu_version
from tests.attach.captures import assert_true, attach, bare
from tests.attach.conftest import INSTALLED
from tests.attach.machines import futex_options, machine
from tests.guests.test_futex_stack import FAILED, MOST_RUNS
from tests.record.runs import wait_until
from tracedbg.cli.main import main
from tracedbg.format.schema import NEVER
from tracedbg.state import FoundBy
from tracedbg.store import Trace
from tracedbg.symbols import SymbolTable

TIMEOUT = 0x4001_0E00
ENTRY = 0x1000
ECALL = bytes.fromhex("73000000")
REFUSED = "getty: futex: error 22"

pytestmark = pytest.mark.slow


def failing_run(
    qemu: list[str], buggy: Path, folder: Path, capsys: pytest.CaptureFixture[str], harts: int = 1
) -> dict[str, Any]:
    """Captures runs until the kernel refuses the timeout; returns what the last capture printed."""
    # The watch is set at the getty's first futex call; now and then the damage is done before that.
    plan = ["--break", "sys_futex", "--watch", f"{TIMEOUT:#x}:16", "--symbols", str(buggy / "kernel.elf")]
    for _ in range(MOST_RUNS):
        with machine(qemu, folder, *futex_options(buggy, harts)) as target:
            found = attach(target, folder / "capture.bin", capsys, *plan)
            target.process.wait(60)
            hit = any(stop["symbol"].startswith("trap_entry+") for stop in found["stops"])
            if hit and REFUSED in target.console.read_text():
                assert FAILED in target.console.read_text()
                return found
    raise AssertionError(f"none of {MOST_RUNS} runs failed")


def test_a_watchpoint_shows_the_kernel_overwriting_the_timeout(
    qemu: list[str], buggy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = failing_run(qemu, buggy, tmp_path, capsys)

    assert found["ended_by"] == "qemu-gone"
    # The page was zeroed by the kernel when it was handed out: that is no damage.
    hits = [stop for stop in found["stops"] if stop["reason"] == "watchpoint"]
    guilty = next(stop for stop in hits if stop["symbol"].startswith("trap_entry+"))
    assert guilty["line"].partition(":")[0].endswith("kernel/trap.S")
    assert guilty["privilege"] == "supervisor"
    stack, timeout = guilty["memory"]
    assert stack["what"] == "supervisor stack of hart 0"
    assert timeout["what"] == f"user data {TIMEOUT:#x}:16"
    # The stack pointer has come down into the frame of the user's page.
    assert int(stack["physical"], 16) // 4096 == int(timeout["physical"], 16) // 4096
    assert timeout["physical"] == guilty["stores_at_physical"]
    assert [level["level"] for level in guilty["page_tables"]] == [2, 1, 0]
    assert_true(tmp_path / "capture.bin")
    with tracedbg.open(tmp_path / "capture.bin") as trace:
        physical = int(timeout["physical"], 16)
        rows = trace.accesses((physical, 16), kind="store")
        assert len(rows) >= 2
        write = trace.next_write((physical, 8), guilty["t"])
        assert write is not None
        assert write.t == guilty["t"]
        assert hex(write.value) == guilty["stores"]
        assert 0x8020_0000 <= write.value < 0x8020_4000
        origin = trace.origin(write)
        assert origin.symbol is not None
        assert origin.symbol.name == "trap_entry"
        before, after = (trace.at(t).memory.read_physical(physical, 8) for t in (write.t, write.t + 1))
        assert (before.integer, after.integer) == (0, write.value)
        # A call that reads the timeout next stands at its first instruction with the damage in memory.
        later = trace.executions("sys_futex", between=(guilty["t"], "end"))["t"].tolist()
        damaged = [
            moment
            for moment in map(trace.at, later)
            if 0x8020_0000 <= (moment.memory.read_virtual(TIMEOUT, 8).integer or 0) < 0x8020_4000
        ]
        assert damaged
        frames = damaged[0].backtrace()
        assert frames[1].function == "syscall_dispatch"
        # The call itself was not seen; the hart's registers tell of it.
        assert [frame.found_by for frame in frames[-2:]] == [FoundBy.CFI, FoundBy.TRAP_REGISTERS]
        call = frames[-1]
        assert (call.pc, call.privilege, call.sp) == (damaged[0].registers["sepc"], 0, None)
        assert damaged[0].memory.read_virtual(call.pc, 4).data == ECALL


def test_nothing_is_known_across_a_gap(
    qemu: list[str], fixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "capture.bin"
    symbols = ["--symbols", str(fixed / "kernel.elf")]
    with machine(qemu, tmp_path, *futex_options(fixed)) as target:
        plan = [*symbols, "--break", "sys_openat", "--break", "sys_futex", "--stops", "2"]
        attach(target, path, capsys, *plan)
        target.wait_for("smoke test ok")
    assert_true(path)
    with tracedbg.open(path) as trace:
        assert trace.store.stops.gaps.tolist()[0] == 1
        first, last = trace.at(1), trace.at("end")
        assert first.pc is not None
        named = trace.symbols.at(first.pc)
        assert named is not None
        assert (named.name in {"sys_openat", "sys_futex"}, named.offset) == (True, 0)
        stack = first.registers["sp"]
        assert stack is not None
        assert first.memory.read_virtual(stack, 64).is_complete
        # Pages that were read at one stop and not at the next.
        old = {int(row["physical"]) for row in samples(trace.store, 0)}
        assert ENTRY in old
        unread = first.memory.read_physical(ENTRY, 8)
        assert (unread.mask, unread.integer) == (bytes(8), None)
        assert trace.at(0).memory.read_physical(ENTRY, 8).is_complete
        assert [gap.reason for gap in unread.gaps] == ["not RAM, and not seen before this moment"]
        assert last.pc is not None
        assert last.registers["satp"] is not None
        assert main(["state", str(path), "--at", "end", *symbols]) == 0


def samples(store: Trace, t: int) -> list[dict[str, int]]:
    return [{"physical": sample.physical} for sample in store.stops.iter_samples(t, t, (0, NEVER))]


def test_both_harts_are_seen_at_each_stop(
    qemu: list[str], fixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "capture.bin"
    with machine(qemu, tmp_path, *futex_options(fixed, harts=2)) as target:
        plan = [
            "--symbols",
            str(fixed / "kernel.elf"),
            "--break",
            "sys_openat",
            "--stops",
            "2",
            "--step",
            "500",
        ]
        found = attach(target, path, capsys, *plan)
    assert [len(stop["memory"]) for stop in found["stops"]] == [2] * 5
    assert_true(path)
    with tracedbg.open(path) as trace:
        for t in (0, 1, trace.end):
            for hart in range(2):
                moment = trace.at(t, hart=hart)
                assert None not in (moment.pc, moment.privilege, moment.registers["sp"], moment.satp)
        hart = trace.at(250).hart
        still = [trace.at(t, hart=1 - hart) for t in (1, 250)]
        assert still[0].pc == still[1].pc
        assert dict(still[0].registers) == dict(still[1].registers)


def test_steps_hide_timer_interrupts_unless_told_otherwise(
    qemu: list[str], fixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    interrupts = {}
    symbols = ["--symbols", str(fixed / "kernel.elf")]
    for name, options in (("hidden", []), ("shown", ["--step-irqs"])):
        with machine(qemu, tmp_path / name, *futex_options(fixed)) as target:
            plan = [*symbols, "--break", "sys_openat", "--stops", "1", "--step", "4000", *options]
            found = attach(target, tmp_path / f"{name}.bin", capsys, *plan)
        assert_true(tmp_path / f"{name}.bin")
        assert ("masked" in found["notes"][0]) == (name == "hidden")
        with tracedbg.open(tmp_path / f"{name}.bin") as trace:
            causes = [trace.store.epoch(index).traps.cause for index in range(trace.store.epochs)]
            interrupts[name] = int(np.count_nonzero(np.concatenate(causes) >> np.uint64(63)))
    assert interrupts["hidden"] == 0
    assert interrupts["shown"] > 0


def test_a_capture_ends_where_its_condition_holds(
    qemu: list[str], small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(small)) as target:
        plan = ["--symbols", str(small), "--step", "5000", "--until", "a1>=0x80000000"]
        attach(target, path, capsys, *plan)
    with tracedbg.open(path) as trace:
        values = [trace.at(t).registers["a1"] for t in range(trace.end + 1)]
        assert [value >= 0x8000_0000 for value in values if value is not None] == [False] * trace.end + [True]


DOTS = """
    li a1, 0x10000000
    li a0, '.'
again:
    li a2, 1000000
wait:
    addi a2, a2, -1
    bnez a2, wait
    sb a0, 0(a1)
    j again
"""


def test_time_ends_a_capture_and_the_guest_runs_on(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel = bare(tmp_path, DOTS)
    options = ("-kernel", str(kernel))
    with machine(qemu, tmp_path, *options, firmware="none", stopped=False) as target:
        target.wait_for(".")
        found = attach(target, tmp_path / "capture.bin", capsys, "--for", "1")
        assert [stop["reason"] for stop in found["stops"]] == ["attached", "interrupt"]
        assert found["ended_by"] == "detach"
        target.wait_for(target.console.read_text() + ".")


def test_steps_with_a_time_limit_begin_where_the_guest_was_found(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel, path = bare(tmp_path, DOTS), tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(kernel), firmware="none") as target:
        found = attach(target, path, capsys, "--step", "20", "--for", "30")
    assert_true(path)
    assert [stop["reason"] for stop in found["stops"]] == ["attached", "step"]
    with tracedbg.open(path) as trace:
        assert (trace.end, len(trace.store.stops.gaps)) == (20, 0)


def test_qemu_that_is_killed_leaves_the_trace_so_far(
    qemu: list[str], small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(small)) as target:

        def kill_later() -> None:
            wait_until(lambda: path.exists() and path.stat().st_size >= 100_000)
            target.process.kill()

        killer = threading.Thread(target=kill_later)
        killer.start()
        found = attach(target, path, capsys, "--symbols", str(small), "--step", "10000000")
        killer.join()
    assert found["ended_by"] == "qemu-gone"
    assert_true(path)
    with tracedbg.open(path) as trace:
        assert trace.store.losses == ()
        assert trace.store.ending is not None
        assert trace.end > 0
        assert trace.at(trace.end - 1).pc is not None


def test_the_old_qemu_is_the_old_one(qemu: list[str]) -> None:
    run = subprocess.run([*qemu, "--version"], capture_output=True, text=True, check=True)
    version = parse_qemu_version(run.stdout)
    assert version is not None
    assert version == (7, 2) if len(qemu) > 1 else version >= (9, 2)


def test_symbols_of_another_build_are_told_once(
    fixed: Path, buggy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    notes = {}
    place = SymbolTable.load([fixed / "kernel.elf"]).find("sys_openat")
    assert place is not None
    for name, build in (("own", fixed), ("other", buggy)):
        with machine([INSTALLED], tmp_path, *futex_options(fixed)) as target:
            plan = ["--symbols", str(build / "kernel.elf"), "--break", hex(place.address), "--stops", "2"]
            found = attach(target, tmp_path / f"{name}.bin", capsys, *plan)
        assert len(found["stops"]) == 3
        notes[name] = [note for note in found["notes"] if "is not what runs" in note]
    assert notes["own"] == []
    (told,) = notes["other"]
    assert told.startswith(f"{buggy / 'kernel.elf'} is not what runs: ")
    assert told.endswith("of 4096 bytes at 0x80201000, where hart 0 stands, differ; is it of another build?")
    with tracedbg.open(tmp_path / "other.bin") as trace:
        assert trace.store.ending is not None
        assert told in trace.store.ending.notes
