"""Captures of real guests behind real QEMUs, installed and old: stops, watchpoints, steps, and endings."""

import json
import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tracedbg
from scripts.tools import parse_qemu_version
from tests.attach.conftest import INSTALLED
from tests.attach.machines import Machine, futex_options, machine
from tests.guests.test_futex_stack import FAILED, MOST_RUNS
from tracedbg.cli.main import main
from tracedbg.format.schema import NEVER
from tracedbg.gdb.capture.live import CapturedGuest
from tracedbg.gdb.capture.session import CaptureSession, Request
from tracedbg.gdb.capture.stub import Stub
from tracedbg.gdb.transport import parse_address
from tracedbg.ids import VirtualAddress
from tracedbg.session.place import Selection
from tracedbg.state import FoundBy
from tracedbg.store import Trace
from tracedbg.symbols import SymbolTable
from tracedbg.verify.verify import verify

TIMEOUT = 0x4001_0E00
ENTRY = 0x1000
ECALL = bytes.fromhex("73000000")
COMPILER = "riscv64-unknown-elf-gcc"
FLAGS = "-nostdlib -nostartfiles -static -march=rv64imac_zicsr -mabi=lp64 -mcmodel=medany -Wl,--build-id=none"
REFUSED = "getty: futex: error 22"

pytestmark = pytest.mark.slow


def attach(target: Machine, trace: Path, capsys: pytest.CaptureFixture[str], *options: str) -> dict[str, Any]:
    """Captures, and returns what is printed for programs."""
    capsys.readouterr()
    assert main(["attach", target.address, "-o", str(trace), "--force", "--json", *options]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def assert_true(trace: Path) -> None:
    report = verify(trace)
    assert (report.examples, report.passed, report.is_capture) == ([], True, True)


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


def test_time_ends_a_capture_and_the_guest_runs_on(
    qemu: list[str], fixed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with machine(qemu, tmp_path, *futex_options(fixed), stopped=False) as target:
        target.wait_for("hart 0")
        found = attach(target, tmp_path / "capture.bin", capsys, "--for", "0.05")
        assert [stop["reason"] for stop in found["stops"]] == ["attached", "interrupt"]
        assert found["ended_by"] == "detach"
        target.wait_for("smoke test ok")


def test_qemu_that_is_killed_leaves_the_trace_so_far(
    qemu: list[str], small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(small)) as target:

        def kill_later() -> None:
            while not path.exists() or path.stat().st_size < 100_000:
                time.sleep(0.01)
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


WATCHED = """
    la a1, word
    li a0, 1
again:
    addi a0, a0, 1
    sd a0, 0(a1)
    ld a2, 0(a1)
    sw a0, 8(a1)
    j again
.balign 16
word: .dword 7, 8
"""


def test_a_watchpoint_in_a_window_of_steps_is_stepped_over(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel = bare(tmp_path, WATCHED)
    path = tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(kernel), firmware="none") as target:
        plan = ["--symbols", str(kernel), "--break", "again", "--watch", "word:8"]
        found = attach(target, path, capsys, *plan, "--stops", "5", "--step", "3")
    assert_true(path)
    hits = [stop for stop in found["stops"] if stop["reason"] == "watchpoint"]
    assert [int(stop["stores"], 16) for stop in hits] == [2, 3, 4, 5]
    with tracedbg.open(path) as trace:
        stores = trace.accesses("word:8", kind="store")
        assert stores["value"].tolist() == [2, 3, 4, 5]
        for row in stores.tolist():
            assert trace.at(row[0]).trap is None
            held = [trace.at(row[0] + after).memory.read_virtual(row[6], 8).integer for after in range(2)]
            assert held == [row[9] - 1 if row[9] > 2 else 7, row[9]]


def bare(folder: Path, source: str) -> Path:
    """A program that QEMU's reset code jumps to."""
    code, kernel = folder / "code.S", folder / "code.elf"
    code.write_text(f".globl _start\n_start:\n{source}")
    flags = f"{FLAGS} -Wl,-Ttext=0x80000000"
    subprocess.run([COMPILER, *flags.split(), str(code), "-o", str(kernel)], check=True)
    return kernel


def test_a_stub_without_physical_reads_is_asked_through_its_monitor(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    kernel = bare(tmp_path, WATCHED)
    ask = Stub.ask
    found = []
    for mode in (True, False):
        path = tmp_path / f"{mode}.bin"
        if not mode:
            monkeypatch.setattr(
                Stub, "ask", lambda self, asked: b"" if b"PhyMem" in asked else ask(self, asked)
            )
        with machine(qemu, tmp_path / str(mode), "-kernel", str(kernel), firmware="none") as target:
            plan = ["--break", "again", "--stops", "1", "--step", "40"]
            attach(target, path, capsys, "--symbols", str(kernel), *plan)
        assert_true(path)
        with tracedbg.open(path) as trace:
            pages = [trace.at(t).memory.read_physical(0x8000_0000, 4096) for t in (1, trace.end)]
            assert all(page.is_complete for page in pages)
            found.append((pages, trace.accesses("word:16")[["t", "kind", "value"]].tolist()))
    assert found[0] == found[1]


def test_what_names_nothing_is_refused_before_anything_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel = bare(tmp_path, WATCHED)
    path = tmp_path / "capture.bin"
    wrong = [
        (["--break", "agian"], "agian: neither an address nor a known symbol; did you mean again?"),
        (["--watch", "word:0"], "a range of 0 bytes: 1 to 67108864 can be asked for"),
        (["--until", "a0=1"], "a0=1: no condition; write REGISTER or *ADDRESS:SIZE"),
        (["--until", "eax==1"], "eax: no register of the guest"),
        (["--until", "a0==nowhere"], "nowhere: neither an address nor a known symbol"),
    ]
    for options, sentence in wrong:
        with machine(["qemu-system-riscv64"], tmp_path, "-kernel", str(kernel), firmware="none") as target:
            assert main(["attach", target.address, "-o", str(path), "--symbols", str(kernel), *options]) == 2
            assert sentence in capsys.readouterr().err
            assert not path.exists()
    path.write_bytes(b"mine")
    with machine(["qemu-system-riscv64"], tmp_path, "-kernel", str(kernel), firmware="none") as target:
        assert main(["attach", target.address, "-o", str(path)]) == 2
        assert capsys.readouterr().err.endswith("exists already; choose another with -o, or --force\n")
    assert path.read_bytes() == b"mine"


WILD = """
    la t0, handler
    csrw mtvec, t0
    li t1, 0x200000
    li a0, 7
    jr t1
.balign 4
handler:
    csrr a1, mcause
    ld a2, 1(zero)
"""


def test_a_jump_to_where_nothing_is_traps_and_steps_go_on(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel = bare(tmp_path, WILD)
    path = tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(kernel), firmware="none") as target:
        plan = ["--break", "_start", "--stops", "1", "--step", "14"]
        attach(target, path, capsys, "--symbols", str(kernel), *plan)
    assert_true(path)
    with tracedbg.open(path) as trace:
        handler = trace.symbols.find("handler")
        assert handler is not None
        times = trace.executions("handler")["t"].tolist()
        traps = [trace.at(t).trap for t in times]
        assert [(trap.cause, trap.epc) for trap in traps if trap is not None] == [
            (1, 0x20_0000), *[(5, handler.address + 4)] * (len(times) - 1)
        ]  # fmt: skip
        assert len(times) > 2
        assert trace.at(times[0] + 1).registers["a1"] == 1
        assert trace.at(times[1] + 1).registers["a1"] == 5


MAPPED_LATE = """
    li t0, 20000000
wait:
    addi t0, t0, -1
    bnez t0, wait
    # One page of a gigabyte, at 1 GiB, leads to RAM; loads and stores go by it as if they were S-mode's.
    li t0, -1
    csrw pmpaddr0, t0
    csrw pmpcfg0, 0x1f
    la t0, root
    li t1, 0x20000000 | 0xc7
    sd t1, 8(t0)
    srli t0, t0, 12
    li t1, 8 << 60
    or t0, t0, t1
    csrw satp, t0
    sfence.vma
    li t0, 1 << 17 | 1 << 11
    csrs mstatus, t0
    li a1, 0x40003000
    li a0, 41
again:
    addi a0, a0, 1
    sd a0, 0(a1)
    j again
.balign 4096
root: .space 4096
"""


def test_bytes_that_no_address_space_in_force_maps_yet_are_looked_for(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel, path = bare(tmp_path, MAPPED_LATE), tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(kernel), firmware="none") as target:
        # Nothing else stops the guest once the bytes are mapped.
        found = attach(target, path, capsys, "--watch", "0x40003000:8", "--stops", "2")
    first, *stops = found["stops"]
    assert (first["reason"], first["memory"][-1]["bytes"]) == ("attached", None)
    assert [(stop["reason"], stop["stores_at_physical"]) for stop in stops] == [
        ("watchpoint", "0x80003000")
    ] * 2
    assert stops[0]["memory"][-1]["physical"] == "0x80003000"
    assert int(stops[1]["stores"], 16) == int(stops[0]["stores"], 16) + 1
    assert_true(path)


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


PRINTS = """
    li a1, 0x10000000
    li a0, 'H'
    sb a0, 0(a1)
    # The divisor latch is in the place of the data register.
    li a2, 0x83
    sb a2, 3(a1)
    sb zero, 0(a1)
    li a2, 3
    sb a2, 3(a1)
    li a0, 'i'
    sb a0, 0(a1)
end: j end
"""


def test_what_single_steps_print_is_on_the_console(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kernel, path = bare(tmp_path, PRINTS), tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(kernel), firmware="none") as target:
        plan = ["--break", "_start", "--stops", "1", "--step", "16"]
        attach(target, path, capsys, "--symbols", str(kernel), *plan)
        target.wait_for("Hi")
    assert_true(path)
    with tracedbg.open(path) as trace:
        printed = trace.console()
        assert printed.text == "Hi"
        assert [trace.at(int(t)).registers["a0"] for t in printed.times] == [ord("H"), ord("i")]


@pytest.mark.parametrize("watched", [False, True], ids=["nothing watched", "watched bytes not met yet"])
def test_a_guest_that_runs_stops_when_the_screen_asks(watched: bool, qemu: list[str], tmp_path: Path) -> None:
    kernel, path = bare(tmp_path, "again: j again"), tmp_path / "capture.bin"
    with machine(qemu, tmp_path, "-kernel", str(kernel), firmware="none") as target:
        session = CaptureSession(parse_address(target.address), [], Request())
        with session.opened(path) as (_, capture):
            guest = CapturedGuest(session, capture, path)
            if watched:
                guest.watch(Selection(VirtualAddress(0x4000_0000), 8, is_virtual=True))
            threading.Timer(0.4, guest.interrupt).start()
            assert guest.resume() == "interrupt on hart 0 at 0x80000000"
            guest.close()
    assert_true(path)
