"""``tracedbg state``, ``who`` and ``accesses``: what they print, and a line for what cannot be asked."""

import json
from pathlib import Path

import pytest

from tests.building import reference
from tests.building.machine import RAM_FRAMES, RAM_START, History, Machine
from tests.building.tracefile import write_trace
from tracedbg.cli.main import main
from tracedbg.query.rows import Kind

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def history() -> History:
    return Machine(7, 2).run(9, 5)


@pytest.fixture(scope="module")
def path(history: History, tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("trace") / "machine.bin"
    write_trace(history, file)
    return str(file)


def asked(capsys: Capture, *arguments: str) -> object:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: Capture, *arguments: str) -> tuple[int, str]:
    code = main(arguments)
    captured = capsys.readouterr()
    assert captured.out == ""
    return code, captured.err.splitlines()[-1]


def test_state_tells_registers_and_place(path: str, history: History, capsys: Capture) -> None:
    t = history.end - 3
    shown = asked(capsys, "state", path, "--at", "end-3")
    assert isinstance(shown, dict)
    step = history.steps[t]
    block = history.blocks[step.block]
    assert shown["t"] == t
    assert shown["hart"] == step.hart
    assert shown["pc"] == hex(block.address(step.place))
    expected = reference.registers_at(history, step.hart, t)
    values = {row["register"]: row["value"] for row in shown["registers"]}
    assert values["ra"] == (None if expected[1] is None else hex(expected[1]))
    assert shown["stack"][0]["pc"] == shown["pc"]


def test_state_as_text_marks_the_current_instruction(path: str, capsys: Capture) -> None:
    assert main(["state", path, "--at", "20", "--hart", "1"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("t              20\nhart           1\n")
    assert "registers:" in out
    assert "\n  >" in out


def test_who_names_the_last_write(path: str, history: History, capsys: Capture) -> None:
    rows = reference.accesses(history, RAM_START, 4096, (history.start, history.end), Kind.WRITE)
    shown = asked(capsys, "who", path, f"{RAM_START:#x}:4096")
    assert isinstance(shown, dict)
    t, hart, kind, size, virtual, physical, _, value = rows[-1]
    assert (shown["t"], shown["size"], shown["physical"]) == (t, size, hex(physical))
    assert shown["value"] == hex(value)
    if kind == Kind.STORE:
        assert (shown["hart"], shown["virtual"]) == (hart, hex(virtual))
        assert shown["stack"][0]["pc"] == shown["pc"]
    else:
        assert "pc" not in shown


def test_accesses_are_limited_and_counted(path: str, history: History, capsys: Capture) -> None:
    everything = reference.accesses(history, RAM_START, 4096, (10, history.end), Kind.STORE)
    arguments = ["accesses", path, f"{RAM_START}:4096", "--between", "10..end", "--kind", "store", "--json"]
    assert main([*arguments, "--limit", "3"]) == 0
    captured = capsys.readouterr()
    shown = json.loads(captured.out)
    assert [(row["t"], row["value"]) for row in shown] == [(row[0], hex(row[7])) for row in everything[:3]]
    assert captured.err.splitlines()[-1] == f"{len(everything) - 3} more; --limit shows them"


def test_bad_questions_end_in_one_line(path: str, history: History, capsys: Capture) -> None:
    ram = f"RAM is at {RAM_START:#x} to {RAM_START + 4096 * RAM_FRAMES - 1:#x}"
    for arguments, code, line in [
        (
            ["state", path, "--at", "999999"],
            2,
            f"999999: no such moment; the trace goes from 0 to {history.end}",
        ),
        (["state", path, "--at", "3", "--hart", "2"], 2, "hart 2: the guest's harts are 0 to 1"),
        (["who", path, "0x700000000"], 2, f"0x700000000 is outside memory: {ram}"),
        (["accesses", path, "0x700000000:4"], 2, f"0x700000000 is outside memory: {ram}"),
        (["who", path, "nobody"], 2, "nobody: neither an address nor a known symbol"),
        (["who", path, "0x80000000:0"], 2, "a range of 0 bytes: 1 to 67108864 can be asked for"),
        (
            ["accesses", path, "0x80000000", "--between", "5"],
            2,
            "--between 5: write two positions with two dots, such as 1000..end",
        ),
    ]:
        assert refused(capsys, *arguments) == (code, f"tracedbg: {line}")


def test_memory_that_nobody_wrote_is_said_to_be_as_it_was(path: str, capsys: Capture) -> None:
    code, line = refused(capsys, "who", path, "0x80000800", "--before", "0")
    assert code == 1
    assert line == (
        "tracedbg: 0x80000800: nothing wrote there from 0 to 0: "
        "it holds what it held when the recording began"
    )


def test_a_symbol_file_that_is_none_is_named(path: str, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "kernel.elf"
    file.write_bytes(b"no ELF")
    code, line = refused(capsys, "state", path, "--at", "3", "--symbols", str(file))
    assert code == 1
    assert line.startswith(f"tracedbg: {file}: ")
