"""``tracedbg what``, ``calls`` and ``tasks``, on the shipped failing run."""

import json
from pathlib import Path

import pytest

import tracedbg
from tests.attach.captures import bare
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


def test_calls_tell_the_task_that_made_them(capsys: Capture) -> None:
    shown = asked(capsys, "calls", TRACE, "--name", "futex")
    assert isinstance(shown, list)
    assert [row["task"] for row in shown] == [3, 5]
    shown = asked(capsys, "calls", TRACE, "--name", "futex", "--no-tasks")
    assert isinstance(shown, list)
    assert [row["task"] for row in shown] == [None, None]


def test_traps_are_listed_with_cause_place_value_and_task(capsys: Capture) -> None:
    shown = asked(capsys, "traps", TRACE, "--between", "14703000..14705000", "--cause", "call")
    assert isinstance(shown, list)
    assert shown[0] == {
        "t": 14_703_096, "hart": 0, "cause": "environment call from user mode", "code": "0x8",
        "epc": "0x4000034c", "symbol": "", "tval": "0x0", "source": "user", "target": "supervisor", "task": 5,
    }  # fmt: skip


def test_traps_of_a_cause_by_its_number_are_those_by_its_name(capsys: Capture) -> None:
    by_name = asked(capsys, "traps", TRACE, "--cause", "illegal", "--no-tasks")
    assert isinstance(by_name, list)
    assert len(by_name) == 18
    assert asked(capsys, "traps", TRACE, "--cause", "2", "--no-tasks", "--hart", "0") == by_name
    assert asked(capsys, "traps", TRACE, "--no-tasks", "--hart", "1") == []


def test_a_cause_that_no_trap_has_is_said_with_those_that_are_there(capsys: Capture) -> None:
    assert main(["traps", TRACE, "--cause", "lightning", "--no-tasks", "--limit", "1"]) == 0
    assert capsys.readouterr().err.startswith(
        "no trap has the cause lightning; there are illegal instruction, "
    )


def test_a_window_that_ends_before_it_begins_is_refused(capsys: Capture) -> None:
    for question in ("traps", "calls"):
        assert main([question, TRACE, "--between", "500..300", "--no-tasks"]) == 2
        assert "nothing lies between 500 and 300" in capsys.readouterr().err


def test_traps_that_are_too_many_to_be_known_are_counted(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = asked(capsys, "traps", TRACE, "--no-tasks")
    assert isinstance(every, list)
    monkeypatch.setattr("tracedbg.kernel.trace_index.MOST_TRAPS", 20)
    assert main(["traps", TRACE, "--no-tasks", "--json"]) == 0
    shown = capsys.readouterr()
    left_out = len(every) - len(json.loads(shown.out))
    assert left_out > 0
    assert shown.err.splitlines() == [
        f"of very many traps the first and the last ones are known; {left_out} are not"
    ]


TRAPS_AT_ONCE = """
    la t0, handler
    csrw mtvec, t0
    ecall
.balign 4
handler:
    unimp
"""


@pytest.mark.slow
def test_a_trap_whose_handler_never_began_is_listed(capsys: Capture, tmp_path: Path) -> None:
    kernel, path = bare(tmp_path, TRAPS_AT_ONCE), tmp_path / "stopped.bin"
    machine = ["-machine", "virt", "-m", "16M", "-bios", "none", "-display", "none", "-kernel", str(kernel)]
    options = ["-o", str(path), "--stop-at", "11", "--"]
    assert main(["record", *options, "qemu-system-riscv64", *machine]) == 0
    capsys.readouterr()
    for window in ([], ["--between", "start..end"]):
        shown = asked(capsys, "traps", str(path), *window, "--no-tasks")
        assert isinstance(shown, list)
        assert [(row["t"], row["code"]) for row in shown] == [(10, "0xb"), (11, "0x2")]


def test_stacks_stand_as_they_did_at_the_moment(capsys: Capture) -> None:
    shown = asked(capsys, "stacks", TRACE, "--at", "14409298")
    assert isinstance(shown, list)
    (stack,) = [row for row in shown if row["state"] == "running"]
    assert (stack["stack"], stack["top"], stack["sp"], stack["task"]) == (7, "0x80518000", "0x80514e00", 5)
    assert (stack["base"], stack["left"], stack["known_by"]) == (None, None, "not known")
    with tracedbg.open(TRACE) as trace:
        writes = trace.register_writes("sp")
    own = writes[(writes["value"] > 0x80512000) & (writes["value"] < 0x80518000)]
    for t in (13_490_000, 14_400_000, 14_409_298):
        shown = asked(capsys, "stacks", TRACE, "--at", str(t))
        assert isinstance(shown, list)
        assert [row["lowest_sp"] for row in shown if row["stack"] == 7] == [
            hex(own["value"][own["t"] <= t].min())
        ]


def test_bytes_left_of_a_stack_are_counted_from_its_base(capsys: Capture, tmp_path: Path) -> None:
    config = tmp_path / "kernel.toml"
    config.write_text('[[stack_allocator]]\nfunction = "kstack_alloc"\nsize = 8192\n')
    shown = asked(capsys, "stacks", TRACE, "--config", str(config))
    assert isinstance(shown, list)
    assert [(row["stack"], row["known_by"], row["left"]) for row in shown if row["base"]] == [
        (4, "tracedbg.toml", 0xF90), (5, "tracedbg.toml", 0x1DD0), (6, "tracedbg.toml", -0xB0),
        (7, "tracedbg.toml", -0x1220), (8, "tracedbg.toml", -0xB0),
    ]  # fmt: skip


def test_spaces_are_listed_as_their_tables_were(capsys: Capture) -> None:
    shown = asked(capsys, "spaces", TRACE, "--at", "13500000")
    assert isinstance(shown, list)
    assert [(row["root"], row["mode"]) for row in shown][:2] == [
        ("0x0", "bare"), ("0x8000000000080401", "sv39"),
    ]  # fmt: skip
    assert [(row["tables"], row["user_pages"], row["touched"]) for row in shown[1:]] == [
        (3, 0, 0), (5, 3, 3), (5, 3, 1), (5, 3, 3), (5, 3, 1),
    ]  # fmt: skip
    assert shown[-1]["first"] == 13_497_810
    assert shown[-1]["seen_at"] == 13_500_000
