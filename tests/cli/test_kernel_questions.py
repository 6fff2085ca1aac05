"""``tracedbg what``, ``calls`` and ``tasks``, on the shipped failing run."""

import json
from pathlib import Path

import pytest

from tracedbg.cli.main import main

Capture = pytest.CaptureFixture[str]
TRACE = str(Path(__file__).parents[2] / "traces" / "stack_futex.bin")


def asked(capsys: Capture, *arguments: str) -> object:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_what_tells_who_has_a_byte(capsys: Capture) -> None:
    shown = asked(capsys, "what", TRACE, "0x40010e00", "--virtual", "--at", "14703096")
    assert isinstance(shown, dict)
    assert shown["physical"] == "0x80514e00"
    assert shown["owner"] == "user page 0x40010000 (rw) of space 0x8000000000080511"
    assert shown["last_write"]["symbol"] == "trap_entry+0xe"
    assert [row["virtual"] for row in shown["user_mappings"]] == ["0x40010e00"]


def test_what_tells_whose_a_frame_was(capsys: Capture) -> None:
    shown = asked(capsys, "what", TRACE, "0x80514e00")
    assert isinstance(shown, dict)
    assert shown["owners"] == [
        {"t": 0, "owner": "never used"},
        {"t": 13_726_500, "owner": "user page 0x40010000 (rw) of space 0x8000000000080511"},
    ]


def test_what_tells_a_guard_page_and_how_it_is_known(capsys: Capture, tmp_path: Path) -> None:
    config = tmp_path / "kernel.toml"
    config.write_text('[[stack_allocator]]\nfunction = "kstack_alloc"\nsize = 8192\nguard = 4096\n')
    shown = asked(capsys, "what", TRACE, "0x80516ff0", "--at", "14409298", "--config", str(config))
    assert isinstance(shown, dict)
    assert (shown["owner"], shown["guard_known_by"]) == ("guard page below stack 7", "tracedbg.toml")
    assert shown["below_base"] == 16


def test_what_tells_a_symbols_place_and_a_device(capsys: Capture) -> None:
    shown = asked(capsys, "what", TRACE, "sys_futex+4")
    assert isinstance(shown, dict)
    assert (shown["symbol"], shown["owner"]) == ("sys_futex+0x4", "kernel code")
    shown = asked(capsys, "what", TRACE, "0x10000000")
    assert isinstance(shown, dict)
    assert (shown["owner"], shown["virtual"]) == ("device", None)


def test_what_refuses_an_address_where_nothing_answers(capsys: Capture) -> None:
    assert main(["what", TRACE, "0x7000000000"]) == 2
    assert "is outside memory: RAM is at" in capsys.readouterr().err


def test_calls_are_listed_by_name_with_what_came_back(capsys: Capture) -> None:
    shown = asked(capsys, "calls", TRACE, "--name", "futex")
    assert isinstance(shown, list)
    assert [(row["t"], row["result"], row["error"]) for row in shown] == [
        (13_374_035, None, ""),
        (14_703_096, -22, "EINVAL"),
    ]
    assert shown[1]["call"].startswith("futex(uaddr=0x40010208, op=FUTEX_WAIT, val=0, timeout=0x40010e00 -> ")
    assert asked(capsys, "calls", TRACE, "--name", "98") == shown


def test_calls_say_how_names_are_known_and_how_many_are_left_out(capsys: Capture) -> None:
    assert main(["calls", TRACE, "--between", "13318759..13374036", "--limit", "2"]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 3
    assert captured.err == "2 more; --limit shows them\nnames by the function that the call reaches\n"


def test_tasks_are_listed_with_how_their_names_are_known(capsys: Capture) -> None:
    shown = asked(capsys, "tasks", TRACE)
    assert isinstance(shown, list)
    assert [(row["task"], row["name"], row["idle"]) for row in shown][:1] == [(1, "idle", True)]
    assert [row["task"] for row in shown if row["named_by"] == "the program that it executed"] == [4, 6]


def test_a_mistake_in_the_authors_file_is_one_line(capsys: Capture, tmp_path: Path) -> None:
    config = tmp_path / "kernel.toml"
    config.write_text('[[stack_allocator]]\nfunction = "kstack_aloc"\nsize = 8192\n')
    assert main(["what", TRACE, "0x80200000", "--config", str(config)]) == 1
    expected = f"tracedbg: {config}:2: there is no symbol kstack_aloc; did you mean kstack_alloc?\n"
    assert capsys.readouterr().err == expected
