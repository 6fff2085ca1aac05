"""``tracedbg why``: what it prints, and a line for what cannot be asked."""

import json
from pathlib import Path

import pytest

from tests.building.machine import Machine
from tests.building.tracefile import write_trace
from tracedbg.cli.main import main

Capture = pytest.CaptureFixture[str]
SHIPPED = str(Path(__file__).parents[2] / "traces/stack_futex.bin")
FUTEX = "sys_futex#2"


def told(capsys: Capture, *arguments: str) -> str:
    assert main(["why", SHIPPED, *arguments]) == 0
    return capsys.readouterr().out


def test_the_path_comes_first_with_a_line_for_each_step(capsys: Capture) -> None:
    heading, path, *_ = told(capsys, "s0", "--at", FUTEX).split("\n\n")
    assert heading.startswith("why s0 at t ")
    assert "on hart 0: s0 = 0x" in heading
    lines = path.splitlines()
    assert [line.split()[0] for line in lines] == [f"#{number}" for number in range(len(lines))]
    assert "s0 = 0x" in lines[0]
    assert all(f"#{number + 1}" in line.split("<- ")[1] for number, line in enumerate(lines[:-1]))
    assert "end: " in lines[-1]


def test_what_was_not_followed_can_be_asked_for_as_it_stands(capsys: Capture) -> None:
    out = told(capsys, "a0", "--at", FUTEX, "--steps", "1")
    words = next(line for line in out.splitlines() if "limit of steps" in line and "--at" in line).split(
        "  ="
    )[0]
    again = told(capsys, *words.split())
    assert again.startswith(f"why {words.split()[0]} at t {words.split()[2]} on hart 0")


def test_json_has_the_same_graph(capsys: Capture) -> None:
    document = json.loads(told(capsys, "s0", "--at", FUTEX, "--json"))
    assert document["target"] == "s0"
    assert document["roots"][0]["made_by"] == [0]
    assert [step["number"] for step in document["steps"]] == list(range(len(document["steps"])))
    assert document["spine"][0] == 0
    first = document["steps"][0]
    assert set(first) == {
        "number", "kind", "t", "hart", "pc", "symbol", "offset", "file", "line", "text", "place", "value",
        "inputs", "end",
    }  # fmt: skip
    assert first["place"]["register"] == "s0"
    assert first["value"] == document["roots"][0]["value"]
    assert document["steps"][document["spine"][-1]]["end"]


def test_the_stack_is_that_of_the_store(capsys: Capture) -> None:
    document = json.loads(told(capsys, "0x80514e00:8", "--at", "end-95000", "--json"))
    out = told(capsys, "0x80514e00:8", "--at", "end-95000")
    assert document["stack_of"] == 0
    assert f"call stack of #{document['stack_of']}:" in out
    assert document["stack"][0]["function"] in out


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["nobody"], 2, "nobody: neither an address nor a known symbol"),
        (["a0", "--hart", "7"], 2, "hart 7: the guest's harts are 0 to 1"),
        (["a0", "--at", "99999999999"], 2, "99999999999: no such moment; the trace goes from 0 to"),
        (["0x80000000:5000"], 2, "0x80000000:5000: 5000 bytes; why takes up to 4096: add :SIZE"),
        (["0x700000000"], 2, "0x700000000 is outside memory: RAM is at 0x80000000 to"),
        (["fault"], 2, "fault: no exception up to t"),
        (["a0", "--steps", "0"], 2, "Invalid value for '--steps': 0 is not in the range"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_line(
    arguments: list[str], code: int, message: str, tmp_path: Path, capsys: Capture
) -> None:
    path = tmp_path / "machine.bin"
    write_trace(Machine(7, 2).run(3, 5), path)
    assert main(["why", str(path), *arguments]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err.splitlines()[-1]
