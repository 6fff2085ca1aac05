"""Questions to a recorded guest whose answers its source tells."""

import shutil
from pathlib import Path

import pytest

import tracedbg
from tests.state.runs import build_guest
from tracedbg.errors import PositionError, SymbolError, UsageError
from tracedbg.state import FoundBy, Frame, Trace

pytestmark = pytest.mark.slow

ALIAS, USER_STACK, UNMAPPED = 0x4001_0000, 0x4000_1000, 0x4002_0000


def names(stack: tuple[Frame, ...]) -> list[str | None]:
    return [frame.function for frame in stack]


def test_a_user_call_is_seen_from_the_handler(guest_trace: Trace) -> None:
    moment = guest_trace.at("on_call#5")
    stack = moment.backtrace()
    assert names(stack)[:2] == ["on_call", "trap_entry"]
    assert [frame.found_by for frame in stack[:3]] == [FoundBy.REGISTERS, FoundBy.CFI, FoundBy.TRAP]
    assert (stack[2].privilege, stack[2].pc) == (0, 0x4000_000C)
    assert stack[2].trap is not None
    assert stack[2].trap.cause == 8


def test_an_interrupt_leads_into_what_it_interrupted(guest_trace: Trace) -> None:
    stack = guest_trace.at("on_timer#1").backtrace()
    trapped = next(frame for frame in stack if frame.found_by is FoundBy.TRAP)
    assert trapped.trap is not None
    assert guest_trace.recording.arch.cause_name(trapped.trap.cause) == "supervisor timer interrupt"
    assert names(stack)[-2:] == ["main", "_start"]


def test_translation_and_aliases(guest_trace: Trace) -> None:
    moment = guest_trace.at("on_call#5")
    stack = guest_trace.symbols.find("user_stack")
    assert stack is not None
    walk = moment.translate(ALIAS + 8)
    assert walk.physical == stack.address + 8
    assert [level.level for level in walk.levels] == [2, 1, 0]
    aliases = [alias.page.virtual for alias in moment.aliases(stack.address >> 12)]
    assert aliases == [USER_STACK, ALIAS, 0x8000_0000]
    read = moment.memory.read_virtual(USER_STACK + 4080, 32)
    assert read.mask == b"\1" * 16 + b"\0" * 16
    assert read.integer is None
    assert read.gaps[0].reason.endswith("is not valid")


def test_who_wrote_the_alias_is_found_at_the_user_address(guest_trace: Trace) -> None:
    after = guest_trace.at("on_call#6")
    write = guest_trace.last_write((USER_STACK, 8), after.t, virtual=True)
    assert write is not None
    origin = guest_trace.origin(write)
    assert write.virtual == ALIAS
    assert origin.symbol is not None
    assert origin.symbol.name in ("on_call", "on_trap")
    assert after.memory.read_virtual(USER_STACK, 8).integer == write.value
    following = guest_trace.next_write((USER_STACK, 8), write.t + 1, virtual=True)
    assert following is not None
    assert following.value == write.value - 1
    rows = guest_trace.accesses((ALIAS, 8), between=(after.t, "end"), kind="store", virtual=True)
    assert rows["t"][0] == following.t


def test_what_is_found_goes_both_ways(guest_trace: Trace) -> None:
    entries = guest_trace.executions("on_call")["t"].tolist()
    assert guest_trace.position("on_call#7") == entries[6]
    read = guest_trace.next_read("results", "on_call#1")
    write = guest_trace.next_write("results:8", "main")
    assert write is not None
    assert guest_trace.last_write("results:8", write.t) is None
    assert read is None or read.t > entries[0]
    sp = guest_trace.register_writes("sp", between=("main", "on_call"))
    moment = guest_trace.at(int(sp["t"][-1]))
    assert moment.registers["sp"] == moment.registers["x2"] == int(sp["value"][-1])
    with pytest.raises(UsageError, match="sstatus is a part of mstatus"):
        guest_trace.register_writes("sstatus")


def test_disassembly_shows_what_ran_with_its_source(guest_trace: Trace) -> None:
    lines = guest_trace.at("on_call").disassembly(before=2, after=3)
    assert [line.is_current for line in lines] == [False, False, True, False, False, False]
    current = lines[2]
    assert current.symbol is not None
    assert current.source is not None
    assert current.source.file.endswith("main.c")
    assert current.text is not None
    assert "frame[17]" in current.text
    assert current.executed


def test_another_build_is_used_with_a_warning_that_names_both(guest_path: Path, tmp_path: Path) -> None:
    other = build_guest(tmp_path / "other.elf", "-O0", interval=100)
    with tracedbg.open(guest_path, symbols=[other]) as trace:
        (warning,) = trace.warnings
        assert str(other) in warning
        assert str(guest_path) in warning


def test_bad_questions_are_refused_in_a_sentence(
    guest_trace: Trace, guest_path: Path, tmp_path: Path
) -> None:
    with pytest.raises(PositionError, match="the trace goes from 0 to"):
        guest_trace.at(1 << 60)
    with pytest.raises(
        UsageError, match=r"on_cal: neither an address nor a known symbol; did you mean on_call"
    ):
        guest_trace.last_write("on_cal", "end")
    with pytest.raises(UsageError, match="is not mapped at t"):
        guest_trace.last_write((UNMAPPED + (1 << 40), 8), "on_call", virtual=True)
    with pytest.raises(UsageError, match="nothing lies between"):
        guest_trace.accesses(0x8020_0000, between=("end", "start"))
    broken = tmp_path / "broken.elf"
    shutil.copyfile(__file__, broken)
    with pytest.raises(SymbolError, match=str(broken)):
        tracedbg.open(guest_path, symbols=[broken])
