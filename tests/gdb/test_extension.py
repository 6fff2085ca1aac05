"""Other parts of tracedbg add monitor commands and notes on harts; expressions become Python's own values."""

import pytest

from tracedbg.errors import UsageError
from tracedbg.gdb.evaluation import Plain, scalar
from tracedbg.gdb.execution import Execution
from tracedbg.gdb.framing import frame
from tracedbg.gdb.monitor import BUILT_IN, MonitorCommand
from tracedbg.gdb.replies import Console
from tracedbg.gdb.requests import parse
from tracedbg.gdb.server import Served
from tracedbg.state import Trace


def count(execution: Execution, text: str) -> str:
    if text:
        raise UsageError("count takes nothing")
    return f"{execution.t} so far"


def ask(served: Served, content: bytes) -> list[str]:
    reply = served.dispatcher().reply(parse(content), lambda: None)
    return [packet.decode() for packet in reply.packets()]


def command(line: str) -> bytes:
    return b"qRcmd," + line.encode().hex().encode()


def test_a_command_that_another_part_brings(shipped: Trace) -> None:
    added = MonitorCommand("count", "", "how many instructions so far", count)
    served = Served(shipped, shipped.start, commands=(*BUILT_IN, added))
    assert ask(served, command("count")) == ["O" + b"0 so far\n".hex(), "OK"]
    assert ask(served, command("cou"))[-1] == "OK"
    assert ask(served, command("count 3")) == ["O" + b"count takes nothing\n".hex(), "E01"]
    assert "how many instructions so far" in bytes.fromhex(ask(served, command("help"))[0][1:]).decode()


def test_the_beginning_of_several_commands_is_none(shipped: Trace) -> None:
    served = Served(shipped, shipped.start)
    assert ask(served, command("w"))[-1] == "E01"
    assert ask(served, command("wher"))[-1] == "OK"


def test_a_note_on_a_hart_is_shown_with_its_thread(shipped: Trace) -> None:
    served = Served(shipped, shipped.start, notes=(lambda moment: f"task at {moment.t}", lambda _: ""))
    (packet,) = ask(served, b"qThreadExtraInfo,1")
    assert bytes.fromhex(packet).decode() == "hart 0 [machine] [task at 0]"


def test_long_output_comes_in_several_packets() -> None:
    packets = list(Console("line\n" * 5000).packets())
    assert packets[-1] == b"OK"
    assert b"".join(bytes.fromhex(packet[1:].decode()) for packet in packets[:-1]) == b"line\n" * 5000
    assert max(len(frame(packet)) for packet in packets) < 0x2000


@pytest.mark.parametrize(
    ("text", "type_name", "value"),
    [
        ("12", "int", 12),
        ("-3", "i64", -3),
        ("65 'A'", "char", 65),
        ("0x80200000 <_start>", "void (*)(void)", 0x8020_0000),
        ("{int (int)} 0x80200040 <main>", "int (int)", 0x8020_0040),
        ('0x80203000 "init"', "char *", 0x8020_3000),
        ("true", "bool", True),
        ("1.5", "double", 1.5),
        ("1e-3", "f64", 0.001),
        ("RUNNABLE", "enum state", "RUNNABLE"),
        ("<optimized out>", "int", None),
        ("<unavailable>", "long", None),
        ("", "struct empty", ""),
    ],
)
def test_a_scalar_is_of_pythons_own_types(text: str, type_name: str, value: Plain) -> None:
    found = scalar(text, type_name)
    assert found == value
    assert type(found) is type(value)
