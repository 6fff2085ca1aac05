"""Captures of programs of a few instructions: what is watched, printed, trapped and refused."""

import threading
from pathlib import Path

import pytest

import tracedbg
from tests.attach.captures import assert_true, attach, bare
from tests.attach.machines import machine
from tracedbg.cli.main import main
from tracedbg.gdb.capture.live import CapturedGuest
from tracedbg.gdb.capture.session import CaptureSession, Request
from tracedbg.gdb.capture.stub import Stub
from tracedbg.gdb.transport import parse_address
from tracedbg.ids import VirtualAddress
from tracedbg.session.place import Selection

pytestmark = pytest.mark.slow

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

    cut, repaired = tmp_path / "cut.bin", tmp_path / "repaired.bin"
    cut.write_bytes(path.read_bytes()[:-64])
    assert main(["repair", str(cut), "-o", str(repaired)]) == 0
    assert_true(repaired)
    with tracedbg.open(repaired) as trace:
        again = trace.console()
        assert (again.text, again.times.tolist()) == (printed.text, printed.times.tolist())


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
