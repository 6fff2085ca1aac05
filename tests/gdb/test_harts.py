"""A guest of two harts in gdb: one order of time, and stops on whichever hart they happen."""

import subprocess
import sys
from collections.abc import Iterator

import numpy as np
import pytest

import tracedbg
from tests.gdb.sessions import session_on
from tests.truth import uboot
from tracedbg.gdb.session import Session
from tracedbg.ids import Hart, Time
from tracedbg.query import last_of_hart, next_of_hart, pc_at
from tracedbg.state import Trace

LENGTH = "4000000"
"""Instructions until after both harts have met in the firmware."""
ICOUNT = ("-icount", "shift=7,sleep=off")
"""Each hart's turn, a tenth of a second of the guest's time, is some 800,000 instructions on any host."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trace]:
    path = tmp_path_factory.mktemp("harts") / "harts.bin"
    command = [sys.executable, "-m", "tracedbg", "record", "-o", str(path), "--stop-at", LENGTH, "--"]
    subprocess.run(
        [*command, *uboot.command(2), *ICOUNT], check=True, stdin=subprocess.DEVNULL, capture_output=True
    )
    with tracedbg.open(path) as opened:
        yield opened


@pytest.fixture
def session(trace: Trace) -> Iterator[Session]:
    with session_on(trace, trace.start) as opened:
        yield opened


def turns(trace: Trace) -> list[int]:
    """Each t at which another hart goes on."""
    found = []
    for index in range(trace.store.epochs):
        epoch = trace.store.epoch(index)
        first, _ = epoch.turns
        found += [int(start) + epoch.start for start in epoch.run_start[first]]
    return [t for t in found if t > trace.start and trace.at(t).hart != trace.at(t - 1).hart]


def shared_code(trace: Trace) -> int:
    """The first address after reset that both harts run."""
    for address in np.unique(trace.store.blocks.address).tolist():
        rows = trace.executions(address)
        if len(np.unique(rows["hart"])) == 2 and len(rows) <= 40 and rows["t"][0] > trace.start:
            return int(address)
    raise AssertionError("the harts share no code")


def test_a_breakpoint_stops_either_hart_and_backwards_in_opposite_order(
    trace: Trace, session: Session
) -> None:
    address = shared_code(trace)
    rows = trace.executions(address, between=(trace.start + 1, trace.end))
    expected = [(int(row["t"]), int(row["hart"])) for row in rows]
    session.break_(f"*{address:#x}")
    forwards = []
    while not (stop := session.continue_()).is_edge:
        assert stop.frame.pc == address
        forwards.append((stop.t, stop.hart))
    backwards = []
    while not (stop := session.reverse_continue()).is_edge:
        backwards.append((stop.t, stop.hart))
    assert forwards == expected
    assert backwards == expected[::-1]


def test_a_step_goes_past_what_the_other_hart_does(trace: Trace, session: Session) -> None:
    switches = turns(trace)
    assert switches
    for t in switches[:6]:
        before = session.goto(t - 1)
        assert before.hart is not None
        following = next_of_hart(trace.store, Hart(before.hart), Time(t))
        if following is not None:
            after = session.stepi()
            assert (after.t, after.hart) == (following, before.hart)
            assert session.reverse_stepi().t == t - 1


def contended(trace: Trace) -> tuple[int, Time]:
    """The address of bytes of RAM that both harts touch, and a moment shortly before the second one does."""
    ram = trace.store.guest.ram[0]
    columns = [trace.store.epoch(index).accesses.physical for index in range(trace.store.epochs)]
    addresses, counts = np.unique(np.concatenate(columns), return_counts=True)
    for address in addresses[np.argsort(counts, kind="stable")].tolist():
        rows = trace.accesses((address & ~3, 4)) if ram.start <= address < ram.end else None
        if rows is not None and len(np.unique(rows["hart"])) == 2:
            other = int(np.argmax(rows["hart"] != rows["hart"][0]))
            return int(address & ~3), Time(int(rows["t"][max(other - 2, 0)]))
    raise AssertionError("the harts share no memory")


def test_a_watchpoint_stops_either_hart(trace: Trace, session: Session) -> None:
    physical, start = contended(trace)
    session.goto(start)
    session.command("monitor phys on")
    session.watch(f"*(unsigned char (*)[4]) {physical:#x}", kind="access")
    expected = []
    now: Time | None = start
    # gdb takes the hart past its access, and what the other one does meanwhile is no stop.
    for row in trace.accesses((physical, 4), between=(start, trace.end))[:12]:
        if now is not None and int(row["t"]) >= now:
            hart = Hart(int(row["hart"]))
            now = next_of_hart(trace.store, hart, Time(int(row["t"]) + 1))
            if now is not None:
                expected.append((now, hart))
    stops = [session.continue_() for _ in expected]
    assert [(stop.t, stop.hart) for stop in stops] == expected
    assert {stop.hart for stop in stops} == {0, 1}


def test_a_hart_that_does_not_run_again_stands_behind_its_last_instruction(
    trace: Trace, session: Session
) -> None:
    ended = session.goto("end")
    assert ended.hart is not None
    silent = 1 - ended.hart
    # It waits for an interrupt, the last time in the recording.
    last = last_of_hart(trace.store, Hart(silent), trace.end)
    assert last is not None
    pc = pc_at(trace.store, last)
    assert pc is not None
    assert session.evaluate(f"*(unsigned *) {pc:#x}").value == trace.recording.arch.wait_instruction
    session.command(f"thread {silent + 1}")
    assert session.evaluate("(unsigned long) $pc").value == pc + 4
    back = session.reverse_stepi()
    assert (back.t, back.hart, back.frame.pc) == (last, silent, pc)
    ahead = session.stepi()
    assert (ahead.t, ahead.hart, ahead.frame.pc) == (last + 1, silent, pc + 4)
