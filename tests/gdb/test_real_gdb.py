"""A stock gdb goes through a recording, forwards and backwards."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.gdb.conftest import served
from tests.gdb.sessions import session_on
from tracedbg.gdb.launch import GdbError, find_gdb, settings, unpack
from tracedbg.gdb.records import Stop
from tracedbg.gdb.session import Session
from tracedbg.gdb.transport import Unix
from tracedbg.state import Trace

pytestmark = pytest.mark.slow


@pytest.fixture
def session(shipped: Trace) -> Iterator[Session]:
    with session_on(shipped, shipped.position("sys_futex")) as opened:
        yield opened


def stops(session: Session, *, reverse: bool) -> list[tuple[int, str]]:
    """Run to the edge of the recording; of a watchpoint the instruction that touched, whichever way."""
    found: list[tuple[int, str]] = []
    while True:
        stop = session.reverse_continue() if reverse else session.continue_()
        if stop.is_edge:
            return found
        assert stop.t is not None
        is_watch = "watchpoint" in stop.reason
        # gdb has stepped over the access, in the direction of time.
        found.append((stop.t - 1 if is_watch and not reverse else stop.t, stop.reason))


def test_forwards_and_backwards_are_the_same_stops_mirrored(session: Session, shipped: Trace) -> None:
    args = session.evaluate("(unsigned long) args").value
    session.break_("sys_futex")
    session.break_("syscall_dispatch")
    session.watch(f"*(long *) {args}")
    session.watch(f"*(long *) {args + 8}", kind="access")
    session.goto("start")
    forwards = stops(session, reverse=False)
    backwards = stops(session, reverse=True)
    assert forwards == backwards[::-1]
    assert {reason for _, reason in forwards} == {
        "breakpoint-hit",
        "watchpoint-trigger",
        "access-watchpoint-trigger",
    }
    assert [t for t, reason in forwards if reason == "breakpoint-hit"] == sorted(
        int(t) for name in ("sys_futex", "syscall_dispatch") for t in breakpoint_times(session, shipped, name)
    )


def breakpoint_times(session: Session, trace: Trace, name: str) -> list[int]:
    """When the instruction ran that gdb breaks at for a function: behind its prologue."""
    listing = session.command("info breakpoints")
    line = next(line for line in listing.splitlines() if f" in {name} " in line)
    address = next(int(word, 16) for word in line.split() if word.startswith("0x"))
    return [int(t) for t in trace.executions(address)["t"]]


def test_stepi_is_one_instruction_even_into_a_trap_and_back(session: Session, shipped: Trace) -> None:
    random = Random(1)
    traps = [int(t) for t in shipped.executions("trap_entry")["t"][:3]]
    for t in [
        *(t - 3 for t in traps),
        *(random.randrange(shipped.start, shipped.end - 30) for _ in range(8)),
    ]:
        session.goto(t)
        for now in range(t + 1, t + 13):
            stop = session.stepi()
            assert (stop.t, stop.frame.pc) == (now, shipped.at(now).pc)
        for now in range(t + 11, t - 1, -1):
            stop = session.reverse_stepi()
            assert (stop.t, stop.frame.pc) == (now, shipped.at(now).pc)


def test_next_asks_for_a_whole_line_at_once(shipped: Trace, tmp_path: Path) -> None:
    carried = unpack(shipped, tmp_path)
    lines = [*settings(carried.symbols, None), f"target remote {tmp_path / 'socket'}", "set debug remote 1"]
    (tmp_path / "setup.gdb").write_text("\n".join([*lines, "next", "next", "info line"]))
    words = [find_gdb("riscv:rv64"), "-nx", "-q", "-batch", "-x", str(tmp_path / "setup.gdb")]
    with served(shipped, shipped.position("sys_futex"), Unix(tmp_path / "socket")):
        run = subprocess.run(words, check=True, capture_output=True, text=True, timeout=60, errors="replace")
    assert "Sending packet: $vCont;r80201d3a,80201d46:1;c" in run.stderr
    # Two lines take fewer requests than the instructions that they are made of.
    steps = [
        line for line in run.stderr.splitlines() if "Sending packet: $vCont;" in line and "?" not in line
    ]
    assert 2 <= len(steps) < 8
    assert 'Line 22 of "kernel/hart.h" starts at address' in run.stdout


def test_a_watchpoint_shows_both_values_and_stays_on_its_bytes(session: Session, shipped: Trace) -> None:
    args = session.evaluate("(unsigned long) args").value
    sp = shipped.at("sys_futex").registers["sp"]
    assert sp is not None
    session.watch(f"*(unsigned long *) {args}")
    back = session.reverse_continue()
    assert back.t is not None
    change = shipped.last_write((args, 8), "sys_futex", virtual=True)
    assert change is not None
    assert back.t == change.t
    assert back.old == str(change.value)
    ahead = session.continue_()
    assert (ahead.t, ahead.old, ahead.new) == (change.t + 1, back.new, back.old)


def test_values_are_typed(session: Session) -> None:
    values = {
        "args[1] == 0": 1,
        "(char) 65": 65,
        "1.5": 1.5,
        "harts[0].id": 0,
        "(unsigned char) -1": 255,
    }
    for expression, value in values.items():
        assert session.evaluate(expression).value == value
    task = session.evaluate("*(struct trap_frame *) ((char *) args - 72)")
    assert task.type == "struct trap_frame"
    assert isinstance(task.value, dict)
    array = session.evaluate("*args@3")
    assert array.value == [session.evaluate(f"args[{place}]").value for place in range(3)]
    assert session.evaluate("(long *) args").value == session.evaluate("(unsigned long) args").value
    with pytest.raises(GdbError, match='No symbol "nothing" in current context'):
        session.evaluate("nothing")


def test_memory_says_what_is_not_known(session: Session, shipped: Trace) -> None:
    end = shipped.store.guest.ram[0].end
    known = session.memory(end - 8, 16)
    moment = shipped.at("sys_futex")
    assert known.data[:8] == moment.memory.read_virtual(end - 8, 8).data
    assert known.mask == b"\1" * 8 + b"\0" * 8
    assert session.memory("$sp", 4).data == moment.memory.read_virtual(moment.registers["sp"] or 0, 4).data


def test_the_call_stack_has_the_functions_of_the_kernel(session: Session) -> None:
    names = [frame.function for frame in session.backtrace()]
    assert names == [
        "sys_futex",
        "syscall_dispatch",
        "handle_user_exception",
        "trap_from_user",
        "trap_handler",
        "trap_entry",
    ]


def test_writes_are_refused_and_nothing_changes(session: Session) -> None:
    before = session.command("info registers a0")
    with pytest.raises(GdbError, match="cannot be changed: this is a recording"):
        session.command("set var $a0 = 1")
    with pytest.raises(GdbError, match="Cannot access memory"):
        session.command("set var *args = 1")
    session.command("maintenance flush register-cache")
    assert session.command("info registers a0") == before


def test_conditions_and_finish_work_both_ways(session: Session) -> None:
    session.goto("end")
    number = session.break_("sys_futex", condition="args[3] != 0")
    hit = session.reverse_continue()
    assert session.evaluate("args[3] != 0").value == 1
    session.delete(number)
    out = session.finish()
    assert out.frame.function == "syscall_dispatch"
    session.reverse_stepi()
    call = session.goto(hit.t or 0)
    assert call.frame.function == "sys_futex"
    back = session.reverse_finish()
    assert back.frame.function == "syscall_dispatch"
    assert back.t is not None
    assert hit.t is not None
    assert back.t < hit.t


def test_info_threads_names_hart_and_privilege(session: Session) -> None:
    assert "Thread 1 (hart 0 [supervisor])" in session.command("info threads")


def test_threads_of_three_harts(harts: Trace) -> None:
    with session_on(harts, harts.start) as session:
        listing = session.command("info threads")
        assert [f"hart {hart}" in listing for hart in range(3)] == [True] * 3
        for t in range(harts.start, harts.end, 3):
            stop = session.goto(t)
            assert (stop.t, stop.hart, stop.frame.pc) == (t, harts.at(t).hart, harts.at(t).pc)


def test_the_state_that_the_guest_ended_in_can_be_seen(session: Session, shipped: Trace) -> None:
    last = session.goto("end-1")
    ended = session.stepi()
    # A store to the machine's switch, two bytes long, was the last thing that ran.
    assert (ended.t, ended.frame.pc) == (shipped.end, (last.frame.pc or 0) + 2)
    assert session.reverse_stepi().t == last.t == shipped.end - 1


def test_no_history_is_said_at_both_ends(session: Session, shipped: Trace) -> None:
    def edges() -> Iterator[Stop]:
        yield session.continue_()
        yield session.reverse_continue()

    assert [(stop.reason, stop.t) for stop in edges()] == [
        ("no-history", shipped.end),
        ("no-history", shipped.start),
    ]


def test_a_breakpoint_whose_condition_never_holds_can_be_interrupted(
    session: Session, shipped: Trace
) -> None:
    end = session.goto("end")
    copying = shipped.symbols.find("memcpy")
    assert copying is not None
    number = session.break_(f"*{copying.address + 12:#x}", condition="0")
    with pytest.raises(GdbError, match="did not stop within 1 s"):
        session.reverse_continue(seconds=1)
    session.delete(number)
    stop = session.reverse_stepi()
    assert stop.t is not None
    assert end.t is not None
    assert shipped.start < stop.t < end.t
