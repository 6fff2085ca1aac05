"""The protocol packet by packet: what gdb's manual asks of a stub, and what this one promises beyond."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator

import pytest

from tests.gdb.client import Client
from tracedbg.arch import PC
from tracedbg.gdb.framing import Mark, Packet, frame
from tracedbg.gdb.transport import Address
from tracedbg.provenance import why
from tracedbg.provenance.text import explanation_text
from tracedbg.state import Trace

RISCV_PC = 32


@pytest.fixture
def client(shipped_address: Address) -> Iterator[Client]:
    with Client(shipped_address) as connected:
        yield connected


@pytest.fixture
def smp(harts_address: Address) -> Iterator[Client]:
    with Client(harts_address) as connected:
        yield connected


def little(text: str) -> int:
    return int.from_bytes(bytes.fromhex(text), "little")


def monitor(client: Client, line: str) -> str:
    """What a monitor command prints; the last packet says whether it failed."""
    client.send(f"qRcmd,{line.encode().hex()}")
    text = ""
    while (packet := client.packet()).startswith("O") and packet != "OK":
        text += bytes.fromhex(packet[1:]).decode()
    return text + ("" if packet == "OK" else packet)


def test_every_packet_is_acknowledged_until_the_client_turns_that_off(client: Client) -> None:
    client.send("?")
    assert client.event() is Mark.ACK
    assert isinstance(client.event(), Packet)
    assert client.ask("QStartNoAckMode") == "OK"
    client.raw(Mark.ACK.value)
    client.send("?")
    assert isinstance(client.event(), Packet)


def test_what_arrives_damaged_is_asked_for_again_and_what_was_damaged_on_the_way_sent_again(
    client: Client,
) -> None:
    client.raw(b"$?#00")
    assert client.event() is Mark.NAK
    first = client.ask("?")
    client.raw(Mark.NAK.value)
    assert client.packet() == first


def test_it_offers_what_it_can_do(client: Client) -> None:
    offered = client.ask("qSupported:multiprocess+;swbreak+;hwbreak+").split(";")
    assert {
        "qXfer:features:read+",
        "vContSupported+",
        "ReverseStep+",
        "ReverseContinue+",
        "swbreak+",
        "hwbreak+",
        "binary-upload+",
        "QStartNoAckMode+",
    } < set(offered)
    assert "multiprocess+" not in offered
    assert client.ask("vCont?") == "vCont;c;C;s;S;r"


@pytest.mark.parametrize(
    "content", ["vMustReplyEmpty", "qTStatus", "R00", "qOffsets", "qXfer:auxv:read::0,ff", ""]
)
def test_what_is_not_known_gets_an_empty_reply(client: Client, content: str) -> None:
    assert client.ask(content) == ""


@pytest.mark.parametrize(
    "content", ["m80", "p", "Z9,0,4", "Hg77", "T77", "vCont;s:77", "qThreadExtraInfo,77"]
)
def test_what_makes_no_sense_gets_an_error(client: Client, content: str) -> None:
    assert client.ask(content).startswith("E")
    assert client.ask("?").startswith("T05")


def description(client: Client, part: int) -> ET.Element:
    text = ""
    while True:
        reply = client.ask(f"qXfer:features:read:target.xml:{len(text):x},{part:x}")
        text += reply[1:]
        if reply[0] == "l":
            return ET.fromstring(text)


def test_the_description_is_the_same_in_parts_of_any_size(client: Client) -> None:
    whole = description(client, 0x7000)
    assert ET.tostring(description(client, 100)) == ET.tostring(whole)
    assert whole.findtext("architecture") == "riscv:rv64"
    assert whole.findtext("osabi") == "none"
    assert client.ask("qXfer:features:read:other.xml:0,100") == "E00"


def test_registers_are_those_of_the_trace(client: Client, shipped: Trace) -> None:
    moment = shipped.at("sys_futex")
    numbers = {
        str(register.get("name")): int(str(register.get("regnum")))
        for register in description(client, 0x7000).iter("reg")
    }
    general = client.ask("g")
    for name, number in numbers.items():
        if name in moment.registers:
            value = client.ask(f"p{number:x}")
            assert little(value) == moment.registers[name], name
            if number < RISCV_PC:
                assert general[16 * number : 16 * number + 16] == value
    assert little(general[16 * RISCV_PC :]) == moment.pc
    assert len(general) == 16 * (RISCV_PC + 1)
    assert little(client.ask(f"p{numbers['priv']:x}")) == moment.privilege
    assert {"satp", "mstatus", "sstatus", "fcsr", "scause", "stval", "sepc", "ft0", "fs11"} < set(numbers)
    assert client.ask("p7fff") == "E01"


def test_unknown_registers_are_said_to_be_unknown(smp: Client, harts: Trace) -> None:
    unknown = {name for name, value in harts.at(harts.start).registers.items() if value is None}
    assert unknown
    general = smp.ask("g")
    names = list(harts.recording.arch.integer_registers)
    for number, name in enumerate(names):
        value = general[16 * number : 16 * number + 16]
        assert (value == "x" * 16) == (name in unknown), name
    assert PC not in unknown


def test_memory_ends_where_it_is_not_known(client: Client, shipped: Trace) -> None:
    memory = shipped.at("sys_futex").memory
    end = shipped.store.guest.ram[0].end
    assert bytes.fromhex(client.ask("m80201d3a,10")) == memory.read_virtual(0x80201D3A, 16).data
    assert client.ask("Qqemu.PhyMemMode:1") == "OK"
    assert client.ask("qqemu.PhyMemMode") == "1"
    assert bytes.fromhex(client.ask(f"m{end - 8:x},20")) == memory.read_physical(end - 8, 8).data
    assert client.ask(f"m{end:x},8") == "E0e"
    assert client.ask("mffffffffffffffff,8") == "E0e"
    assert client.ask("m10000000,1") == "E0e"
    assert client.ask("m80201d3a,0") == ""


def test_memory_is_also_read_as_bytes_with_what_the_framing_needs_escaped(
    client: Client, shipped: Trace
) -> None:
    memory = shipped.at("sys_futex").memory
    ram = shipped.store.guest.ram[0]
    special = b"#$*}"
    assert client.ask("Qqemu.PhyMemMode:1") == "OK"
    seen: set[int] = set()
    for start in range(ram.start + 0x200000, ram.start + 0x204000, 0x1000):
        known = memory.read_physical(start, 0x1000)
        assert known.is_complete
        assert client.ask(f"x{start:x},1000").encode("latin-1") == b"b" + known.data
        seen.update(known.data)
    assert seen >= set(special)
    assert (
        client.ask(f"x{ram.end - 8:x},20").encode("latin-1")
        == b"b" + memory.read_physical(ram.end - 8, 8).data
    )
    assert client.ask(f"x{ram.end:x},8") == "E0e"
    assert client.ask(f"x{ram.start:x},0") == "b"


@pytest.mark.parametrize("content", ["M80201d3a,1:00", "X80201d3a,1:a", "P0=00", "G00", "c80201d3a"])
def test_nothing_can_be_changed(client: Client, content: str) -> None:
    before = client.ask("m80201d3a,8"), client.ask("g")
    assert client.ask(content).endswith("cannot be changed: this is a recording")
    assert (client.ask("m80201d3a,8"), client.ask("g")) == before


def test_bare_steps_and_runs_both_ways(client: Client, shipped: Trace) -> None:
    t = shipped.position("sys_futex")
    client.ask("qSupported:swbreak+;hwbreak+")
    client.ask("vCont;s")
    assert monitor(client, "where").startswith(f"t {t + 1} ")
    client.ask("bs")
    client.ask("bs")
    assert monitor(client, "where").startswith(f"t {t - 1} ")
    assert client.ask("Z0,80201d3a,2") == "OK"
    assert "swbreak:;" in client.ask("vCont;c")
    assert monitor(client, "where").startswith(f"t {t} ")
    assert client.ask("z0,80201d3a,2") == "OK"
    assert "replaylog:begin;" in client.ask("bc")
    assert "replaylog:begin;" in client.ask("bs")
    assert "replaylog:end;" in client.ask("c")
    assert "replaylog:end;" in client.ask("s")
    assert monitor(client, "where").startswith(f"t {shipped.end} ")


def test_break_reasons_are_told_only_to_a_client_that_knows_them(client: Client) -> None:
    client.ask("qSupported:multiprocess+")
    client.ask("Z1,80201d3a,2")
    client.ask("bc")
    reply = client.ask("vCont;c")
    assert reply.startswith("T05")
    assert "break" not in reply


def test_a_watchpoint_is_at_the_access_forwards_and_behind_it_backwards(
    client: Client, shipped: Trace
) -> None:
    t = shipped.position("sys_futex")
    sp = shipped.at(t).registers["sp"]
    assert sp is not None
    access = shipped.next_write((sp - 8, 8), t, virtual=True)
    assert access is not None
    client.ask(f"Z2,{sp - 8:x},8")
    assert f"watch:{sp - 8:x};" in client.ask("vCont;c")
    assert monitor(client, "where").startswith(f"t {access.t} ")
    assert monitor(client, "watches") == f"{sp - 8:x}:8 is physical {access.physical:x}:8\n"
    # The next run does not stop there again, and the one back does, behind the access.
    client.ask("vCont;s")
    assert f"watch:{sp - 8:x};" in client.ask("bc")
    assert monitor(client, "where").startswith(f"t {access.t + 1} ")


def test_a_watchpoint_needs_bytes_that_are_mapped(client: Client) -> None:
    assert "is not mapped" in client.ask("Z2,4,4")
    assert client.ask("Z2,80201d3a,0") == "E.a watchpoint on no bytes"


def test_threads_are_harts(smp: Client, harts: Trace) -> None:
    assert smp.ask("qfThreadInfo") == "m1,2,3"
    assert smp.ask("qsThreadInfo") == "l"
    running = harts.at(harts.start).hart
    assert smp.ask("qC") == f"QC{running + 1:x}"
    assert bytes.fromhex(smp.ask("qThreadExtraInfo,2")).decode().startswith("hart 1")
    for hart in range(3):
        assert smp.ask(f"Hg{hart + 1}") == "OK"
        pc = harts.at(harts.start, hart=hart).pc
        assert smp.ask("g")[16 * RISCV_PC :] == ("x" * 16 if pc is None else pc.to_bytes(8, "little").hex())


def test_the_thread_of_a_stop_is_the_hart_that_runs_then(smp: Client, harts: Trace) -> None:
    for t in range(harts.start, harts.start + 30):
        monitor(smp, f"goto {t}")
        running = harts.at(t).hart
        assert f"thread:{running + 1:x};" in smp.ask("?")
    for hart in range(3):
        reply = smp.ask(f"vCont;s:{hart + 1};c")
        assert f"thread:{hart + 1:x};" in reply or "replaylog" in reply


def test_monitor_commands_say_what_is_wrong_and_fail(client: Client) -> None:
    assert monitor(client, "goto 99999999999") == (
        "99999999999: no such moment; the trace goes from 0 to 14798319\nE01"
    )
    assert monitor(client, "fly").startswith("fly: no monitor command; there are goto, where, ")
    assert monitor(client, "goto").startswith("goto needs a position")
    assert monitor(client, "who").startswith("which bytes?")
    assert "monitor goto T" in monitor(client, "help")


def test_monitor_commands_answer_from_the_trace(client: Client, shipped: Trace) -> None:
    sp = shipped.at("sys_futex").registers["sp"]
    assert sp is not None
    arguments = shipped.at("sys_futex").registers["a0"]
    assert arguments is not None
    write = shipped.last_write((arguments, 8), "sys_futex", virtual=True)
    assert write is not None
    assert f"written at t {write.t:,} by {shipped.pc_of(write):x} trap_entry" in monitor(client, "who a0:8")
    explanation = explanation_text(why(shipped, "a0", at="sys_futex"))
    assert monitor(client, "why a0") == f"{explanation}\n"
    assert monitor(client, "why").endswith("E01")
    walk = shipped.at("sys_futex").translate(sp)
    assert monitor(client, "translate sp").endswith(f"{sp:x} is physical {walk.physical:x}\n")
    known = shipped.at("sys_futex").memory.read_physical(sp, 8)
    assert monitor(client, f"phys {sp:#x}") == f"{sp:x}: {known.hex}\n"
    assert monitor(client, "phys 0x10000000:1").startswith("10000000: ??\nnot known: ")
    assert monitor(client, "phys on") == "addresses are physical\n"


def test_a_second_client_is_served_after_the_first_and_starts_afresh(shipped_address: Address) -> None:
    with Client(shipped_address) as first:
        first.ask("bc")
        assert first.ask("D") == "OK"
        assert first.event() is None
    with Client(shipped_address) as second:
        assert little(second.ask("g")[16 * RISCV_PC :]) == 0x80201D3A


def test_a_kill_only_ends_the_connection(shipped_address: Address) -> None:
    with Client(shipped_address) as first:
        first.raw(frame(b"k"))
        assert first.event() is Mark.ACK
        assert first.event() is None
    with Client(shipped_address) as second:
        assert second.ask("?").startswith("T05")
