"""``tracedbg info``, ``console`` and ``repair`` on small traces that are written here."""

import json
from pathlib import Path

import pytest

from tests.building.machine import History, Machine
from tests.building.tracefile import write_trace
from tracedbg.cli.main import main

Output = pytest.CaptureFixture[str]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.bin"


@pytest.fixture
def history(path: Path) -> History:
    made = Machine(7, 2, start=1000).run(20, 5)
    write_trace(made, path)
    return made


def info(path: Path, capsys: Output) -> dict[str, object]:
    assert main(["info", str(path), "--json"]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_info_tells_a_program_every_fact(path: Path, history: History, capsys: Output) -> None:
    found = info(path, capsys)
    facts = {name: found[name] for name in ("instructions", "start", "end", "harts", "qemu", "clock")}
    assert facts == {
        "instructions": len(history.steps), "start": history.start, "end": history.end,
        "harts": history.harts, "qemu": "10.0.2", "clock": "icount",
    }  # fmt: skip
    assert (found["ended_by"], found["exit_code"]) == ("guest-shutdown", 0)
    assert found["notes"] == [{"text": "the guest shut down"}]
    assert found["losses"] == []
    assert found["size"] == path.stat().st_size


def test_the_shares_are_those_of_all_instructions(path: Path, history: History, capsys: Output) -> None:
    names = {0: "user", 1: "supervisor", 3: "machine"}
    ran = [names[history.blocks[step.block].privilege] for step in history.steps]
    wanted = {name: ran.count(name) / len(ran) for name in names.values() if name in ran}
    shares = info(path, capsys)["privilege_shares"]
    assert isinstance(shares, list)
    assert {share["privilege"]: share["share"] for share in shares} == pytest.approx(wanted)


def test_info_shows_a_person_only_what_there_is(path: Path, history: History, capsys: Output) -> None:
    assert main(["info", str(path)]) == 0
    shown = capsys.readouterr().out
    assert f"instructions           {len(history.steps)}\n" in shown
    assert "notes:\n  -\n  the guest shut down\n" in shown
    assert "losses:" not in shown


@pytest.mark.usefixtures("history")
def test_info_tells_what_a_cut_trace_has_lost(path: Path, capsys: Output) -> None:
    path.write_bytes(path.read_bytes()[:-1])
    assert info(path, capsys)["losses"] == [
        {"text": "the summary at the end of the file is damaged; nothing recorded is lost"}
    ]


@pytest.mark.usefixtures("history")
def test_the_console_has_a_line_for_each_line_with_its_t(path: Path, capsys: Output) -> None:
    assert main(["console", str(path), "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)
    assert main(["console", str(path), "--until", "start"]) == 0
    assert capsys.readouterr().out == ""
    assert [sorted(line) for line in lines] == [["t", "text"]] * len(lines)


def test_what_cannot_be_opened_is_one_line(tmp_path: Path, capsys: Output) -> None:
    for words in (["info"], ["console"]):
        assert main([*words, str(tmp_path / "none")]) == 1
        assert capsys.readouterr() == (
            "", f"tracedbg: {tmp_path}/none: cannot be opened: No such file or directory\n",
        )  # fmt: skip


@pytest.mark.usefixtures("history")
def test_repair_needs_a_name_for_what_it_makes(path: Path, capsys: Output) -> None:
    assert main(["repair", str(path)]) == 2
    assert "Missing option '-o'" in capsys.readouterr().err
    assert main(["repair", str(path), "-o", str(path)]) == 2
    assert capsys.readouterr().err == f"tracedbg: {path} exists: choose another with -o\n"
