"""Single steps that show something else than the instruction that was to run."""

from pathlib import Path

import pytest

import tracedbg
from tests.attach.captures import assert_true, attach, bare
from tests.attach.conftest import INSTALLED
from tests.attach.machines import machine
from tracedbg.state import Trace

pytestmark = pytest.mark.slow

TIMER = 1 << 63 | 7
"""mcause of a timer interrupt."""


def captured(
    qemu: list[str],
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    source: str,
    *options: str,
    with_options: tuple[str, ...] = (),
) -> Trace:
    """Steps a program from its label ``begin`` on, holds what was seen to be true, and opens it."""
    kernel, path = bare(folder, source), folder / "capture.bin"
    with machine(qemu, folder, "-kernel", str(kernel), *with_options, firmware="none") as target:
        plan = ["--break", "begin", "--stops", "1", "--step", "30"]
        attach(target, path, capsys, "--symbols", str(kernel), *plan, *options)
    assert_true(path)
    return tracedbg.open(path)


WAITING = """
    li t0, 0x2004000
    sd zero, 0(t0)
    li t0, 1 << 7
    csrw mie, t0
    la t0, wait
    csrw mepc, t0
    li t0, 1 << 63 | 7
    csrw mcause, t0
    la t0, vector
    csrw mtvec, t0
    j begin
.balign 4
vector:
    nop
begin:
    csrsi mstatus, 8
wait:
    wfi
    j wait
"""


def test_a_hart_that_waits_takes_no_interrupt_though_its_registers_tell_of_one_there(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with captured(qemu, tmp_path, capsys, WAITING) as trace:
        begin = trace.position("begin")
        assert [trace.at(t).trap for t in range(begin, trace.end)] == [None] * (trace.end - begin)
        assert trace.end - begin <= 2
        assert trace.at(begin).registers["mcause"] == TIMER


INTERRUPTED = """
    la t0, handler
    csrw mtvec, t0
    la t0, after
    csrw mepc, t0
    li t0, 3 << 11 | 1 << 3
    csrw mstatus, t0
    li t0, 0x2004000
    sd zero, 0(t0)
    li t1, 1 << 7
begin:
    csrw mie, t1
back:
    mret
after:
    j after
.balign 4
handler:
    csrw mie, zero
    la t0, after
    csrw mepc, t0
    mret
"""


def test_an_interrupt_that_comes_before_a_return_from_a_trap_is_told(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with captured(qemu, tmp_path, capsys, INTERRUPTED, "--step-irqs") as trace:
        back = trace.symbols.find("back")
        assert back is not None
        [trap] = [trace.at(t).trap for t in trace.executions("handler")["t"].tolist()]
        assert trap is not None
        assert (trap.cause, trap.epc) == (TIMER, back.address)


UNKNOWN = """
    la t0, handler
    csrw mtvec, t0
begin:
    li a0, 7
strange:
    .word 0x0000707b
.balign 4
handler:
    csrr a1, mepc
    addi a1, a1, 4
    j handler
"""


def test_an_encoding_that_nobody_knows_does_not_retire_where_it_traps(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with captured(qemu, tmp_path, capsys, UNKNOWN) as trace:
        strange = trace.symbols.find("strange")
        assert strange is not None
        trap = trace.at(trace.executions("handler")["t"].tolist()[0]).trap
        assert trap is not None
        assert (trap.cause, trap.epc) == (2, strange.address)


DEVICE = """
    li a0, 0x80004000
    li a1, 0x10100010
    li t1, 0x0040008000000000
    # To copy four bytes of a signature behind the request itself, all in big-endian order.
    li t2, 0x0a000000
    li t3, 0x04000000
    li t4, 0x1040008000000000
begin:
    sw t2, 0(a0)
    sw t3, 4(a0)
    sd t4, 8(a0)
    sw zero, 16(a0)
    sd t1, 0(a1)
wait:
    lw t0, 0(a0)
    bnez t0, wait
    lw a2, 16(a0)
end:
    j end
"""


def test_what_a_device_wrote_over_stores_that_were_seen_is_told_where_it_is_loaded(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with captured(qemu, tmp_path, capsys, DEVICE) as trace:
        loads = trace.accesses((0x8000_4000, 20), kind="load")
        assert loads["value"].tolist() == [0, int.from_bytes(b"QEMU", "little")]
        first, last = loads["t"].tolist()
        stored = trace.position("begin") + 1
        assert trace.at(stored).memory.read_physical(0x8000_4000, 4).values == (0, 0, 0, None)
        assert trace.at(first - 1).memory.read_physical(0x8000_4000, 4).values == (0, 0, 0, None)
        assert trace.at(first).memory.read_physical(0x8000_4000, 8).integer == 0x0400_0000 << 32
        assert trace.at(last).memory.read_physical(0x8000_4010, 4).data == b"QEMU"


UNTOLD = """
.option arch, +v, +zicboz
    li a0, 0x80004000
    li a1, 77
    csrr t0, mstatus
    li t1, 3 << 9
    or t0, t0, t1
    csrw mstatus, t0
    vsetivli zero, 8, e8, m1, ta, ma
begin:
    sd a1, 0(a0)
    sd a1, 64(a0)
    cbo.zero (a0)
after_clear:
    ld a2, 0(a0)
    sd a1, 64(a0)
    vmv.v.i v0, 5
    vse8.v v0, (a0)
after_vector:
    ld a3, 0(a0)
end:
    j end
"""


def test_what_an_instruction_stores_that_is_not_decoded_is_not_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with_vectors = ("-cpu", "rv64,v=true")
    with captured([INSTALLED], tmp_path, capsys, UNTOLD, with_options=with_vectors) as trace:
        for label, known_before in (("after_clear", 77), ("after_vector", 0)):
            t = trace.position(label)
            before, here = (trace.at(at).memory.read_physical(0x8000_4000, 8) for at in (t - 1, t))
            assert before.integer == known_before
            assert not any(here.mask)
        loads = trace.accesses((0x8000_4000, 8), kind="load")["value"].tolist()
        assert loads == [0, 0x0505_0505_0505_0505]


SEMIHOSTING = """
    la a1, request
    la t0, buffer
    sd t0, 0(a1)
    li a0, 0x15
begin:
    ld t1, 0(t0)
    .balign 16
.option norvc
    slli zero, zero, 0x1f
    ebreak
    srai zero, zero, 7
after:
    ld a2, 0(t0)
end:
    j end
.balign 16
request: .dword 0, 16
buffer: .dword 0, 0
"""


def test_what_semihosting_fills_in_is_read_again(
    qemu: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ("-semihosting-config", "enable=on,target=native,arg=kernel")
    with captured(qemu, tmp_path, capsys, SEMIHOSTING, with_options=options) as trace:
        buffer = trace.symbols.find("buffer")
        assert buffer is not None
        call = trace.position("after") - 2
        before, after = (trace.at(t).memory.read_physical(buffer.address, 8) for t in (call, call + 1))
        assert before.integer == 0
        assert (after.data, after.is_complete) == (b"kernel\0\0", True)
