"""tracedbg.toml: what it tells, and what it says about mistakes."""

from pathlib import Path

import pytest

from tracedbg.ids import Frame, Time, VirtualAddress
from tracedbg.kernel.call_names import NameSource
from tracedbg.kernel.guards import Guard, GuardSource
from tracedbg.kernel.hints import HintsError, find_hints, parse_hints
from tracedbg.kernel.owners import OwnerKind
from tracedbg.kernel.stacks import BaseSource
from tracedbg.kernel.tasks import TaskNameSource
from tracedbg.kernel.view import KernelView
from tracedbg.session.trace import Trace

GOOD = """
[[stack_allocator]]
function = "kstack_alloc"
size = 8192

[system_calls]
98 = "futex"
1000 = "my_call"

[console]
expected = ["smoke test ok"]
"""


def error(text: str, trace: Trace) -> str:
    with pytest.raises(HintsError) as raised:
        parse_hints(Path("tracedbg.toml"), text, trace.symbols)
    return str(raised.value)


def test_bases_of_stacks_and_names_of_calls_come_from_the_file(failing: Trace) -> None:
    hints = parse_hints(Path("tracedbg.toml"), GOOD, failing.symbols)
    view = KernelView(failing, hints=hints)
    bases = {stack.top: (stack.base, stack.base_source) for stack in view.stacks}
    assert bases[0x80518000] == (0x80516000, BaseSource.HINT)
    assert bases[0x80511000] == (0x8050F000, BaseSource.HINT)
    assert bases[0x80207010][0] is None
    name = view.call_names.find(1000)
    assert name is not None
    assert (name.name, name.source) == ("my_call", NameSource.HINT)
    assert hints.banners == ("smoke test ok",)


def test_the_guard_that_an_allocator_keeps_lies_below_the_base(failing: Trace) -> None:
    text = GOOD.replace("size = 8192", "size = 8192\nguard = 4096")
    view = KernelView(failing, hints=parse_hints(Path("tracedbg.toml"), text, failing.symbols))
    (stack,) = [stack for stack in view.stacks if stack.top == 0x80518000]
    assert (stack.base, stack.base_source) == (0x80517000, BaseSource.HINT)
    owners = [view.owners.owner_at(Frame(frame), Time(stack.low_t)) for frame in (0x80516, 0x80517)]
    assert [owner.kind for owner in owners] == [OwnerKind.GUARD, OwnerKind.KERNEL_STACK]
    assert owners[0].guard == Guard(stack, VirtualAddress(0x80516000), GuardSource.HINT, Frame(0x80516))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[stack_alocator]\n", "tracedbg.toml:1: unknown key stack_alocator; did you mean stack_allocator?"),
        (GOOD.replace("size =", "sise ="), "tracedbg.toml:4: unknown key sise; did you mean size?"),
        (
            GOOD.replace("kstack_alloc", "kstack_aloc"),
            "tracedbg.toml:3: there is no symbol kstack_aloc; did you mean kstack_alloc?",
        ),
        (GOOD.replace("8192", "-1"), "tracedbg.toml:4: size is a number of 0 or more, not -1"),
        (
            GOOD.replace("size = 8192", ""),
            "tracedbg.toml:2: a stack allocator has either a size or a size_argument",
        ),
        (
            GOOD.replace("size = 8192", "size = 8192\nguard = 8192"),
            "tracedbg.toml:5: guard is a multiple of 4096, and less than size",
        ),
        (GOOD.replace("1000", "many"), "tracedbg.toml:8: many is no number of a system call"),
        (
            GOOD.replace('"my_call"', "7"),
            'tracedbg.toml:8: the name of system call 1000 is a text such as "write"',
        ),
        (
            GOOD.replace('["smoke test ok"]', "3"),
            "tracedbg.toml:11: expected is a list of texts that the console is to show",
        ),
        ("[console\n", "tracedbg.toml:1: expected ']' at the end of a table declaration"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_with_its_line_and_the_nearest_name(
    text: str, expected: str, failing: Trace
) -> None:
    assert error(text, failing) == expected


def test_a_second_table_has_lines_of_its_own(failing: Trace) -> None:
    text = GOOD + '\n[[stack_allocator]]\nfunction = "kstack_alloc"\nsize = 1\nsize_argument = 9\n'
    assert error(text, failing) == "tracedbg.toml:16: size_argument counts arguments from 0 to 7"


def test_the_file_beside_the_trace_is_found_and_another_one_wins(failing: Trace, tmp_path: Path) -> None:
    trace = tmp_path / "trace.bin"
    assert find_hints(trace, None, failing.symbols).path is None
    (tmp_path / "tracedbg.toml").write_text("[system_calls]\n1 = 'exit'\n")
    (tmp_path / "other.toml").write_text("[system_calls]\n2 = 'exit'\n")
    assert find_hints(trace, None, failing.symbols).system_calls == {1: "exit"}
    assert find_hints(trace, tmp_path / "other.toml", failing.symbols).system_calls == {2: "exit"}
    with pytest.raises(HintsError, match=r"missing\.toml: cannot be read: No such file"):
        find_hints(trace, tmp_path / "missing.toml", failing.symbols)


def test_names_of_tasks_are_read_from_the_authors_table(failing: Trace) -> None:
    # The guest's tasks have no names: the pid, a byte, stands for one.
    text = """
[[task_table]]
symbol = "tasks"
count = 16
size = 824
stack = 32
name = 4
name_size = 1
"""
    view = KernelView(failing, hints=parse_hints(Path("tracedbg.toml"), text, failing.symbols))
    names = [None if task.name is None else (task.name.text, task.name.source) for task in view.tasks]
    pids = [(chr(pid), TaskNameSource.HINT) for pid in range(1, 6)]
    assert names[0] == ("idle", TaskNameSource.IDLE)
    assert sorted(name for name in names[1:] if name is not None) == pids
