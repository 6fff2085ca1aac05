"""System calls, tasks and addresses of the shipped failing run."""

import pytest

from tracedbg.ids import Hart, Time, VirtualAddress
from tracedbg.kernel.addresses import what_is
from tracedbg.kernel.call_arguments import Timespec, call_text
from tracedbg.kernel.call_names import NameSource
from tracedbg.kernel.tasks import TaskNameSource
from tracedbg.kernel.view import KernelView
from tracedbg.symbols import Content

FUTEX, EXECVE, EXIT, REBOOT = 98, 221, 93, 142
GETTY_FUTEX = 14_703_096
OVERWRITE = 14_409_298
TIMESPEC_PLACE, TIMESPEC_ADDRESS = 0x80514E00, 0x40010E00


def text(view: KernelView, t: int) -> str:
    row = view.system_calls.find_at(Time(t), Hart(0))
    assert row is not None
    call = view.system_calls.call(row)
    name = view.call_names.text(call.number)
    return call_text(name, call, view.arguments.decode(name, call))


def test_every_call_but_those_that_never_come_back_has_its_return(view: KernelView) -> None:
    rows = view.system_calls.rows
    assert len(rows) == 90
    without = rows[rows["returned"] < 0]["number"].tolist()
    # A futex and a read went on until the guest was switched off.
    assert without == [FUTEX, EXECVE, EXECVE, EXIT, 67, REBOOT]
    assert (rows["returned"] > rows["t"])[rows["returned"] >= 0].all()


def test_numbers_are_named_by_the_functions_that_they_reach(view: KernelView) -> None:
    name = view.call_names.find(FUTEX)
    assert name is not None
    assert (name.name, name.source) == ("futex", NameSource.SYMBOL)
    assert name.evidence == "all 2 calls of the number reach sys_futex"
    assert view.call_names.conflicts == frozenset()


@pytest.mark.parametrize(
    ("t", "expected"),
    [
        (13_318_759, 'write(fd=1, buf="init: start\\n", count=12) = 12'),
        (13_374_910, 'execve(path="/bin/scan", argv=0x0, envp=0x0)'),
        (13_489_792, 'openat(dirfd=-100, path="/etc/issue", flags=O_RDONLY, mode=0x0) = 3'),
        (
            GETTY_FUTEX,
            (
                "futex(uaddr=0x40010208, op=FUTEX_WAIT, val=0, timeout=0x40010e00 -> "
                "{tv_sec 2149582586, tv_nsec 2152812320}, uaddr2=0x5, val3=0) = -22 (EINVAL)"
            ),
        ),
        (14_794_372, 'write(fd=1, buf="Smoke test failed: /etc/issue banner not found\\n", count=47) = 47'),
    ],
)
def test_calls_read_as_their_caller_meant_them(view: KernelView, t: int, expected: str) -> None:
    assert text(view, t) == expected


def test_what_is_odd_about_a_timespec() -> None:
    assert Timespec(0, 999_999_999).problem is None
    assert Timespec(0, 1_000_000_000).problem == "tv_nsec 1000000000 is not within 0 to 999999999"
    assert Timespec(-1, 0).problem == "tv_sec -1 is negative"
    assert Timespec(0x80500000 << 8, 0).problem == "tv_sec 0x8050000000 is centuries away"
    assert Timespec((1 << 63) - 1, 0).problem is None


def test_tasks_are_kernel_stacks_with_names_where_something_tells_them(view: KernelView) -> None:
    assert [task.text for task in view.tasks] == [
        "task 1 (idle)", "task 2", "task 3", "task 4 (scan)", "task 5", "task 6 (scan)",
    ]  # fmt: skip
    assert [task.is_idle for task in view.tasks] == [True] + [False] * 5
    sources = {task.name.source for task in view.tasks if task.name is not None}
    assert sources == {TaskNameSource.IDLE, TaskNameSource.PROGRAM}
    assert all(task.stack is not None and task.root is None for task in view.tasks)


def test_a_call_runs_in_the_task_that_made_it_until_it_returns(view: KernelView) -> None:
    call = view.system_calls.call(view.system_calls.find_at(Time(GETTY_FUTEX), Hart(0)) or 0)
    assert call.returned is not None
    numbers = {view.task_times.number_at(Hart(0), Time(t)) for t in (call.t - 1, call.t, call.returned)}
    assert numbers == {5}


def test_intervals_of_a_hart_do_not_overlap(view: KernelView) -> None:
    rows = view.task_times.intervals
    assert (rows["t"][1:] >= rows["stop"][:-1]).all()
    assert sum(task.time for task in view.tasks) == int((rows["stop"] - rows["t"]).sum())
    assert view.task_at(Hart(0), view.trace.start) is None


def test_a_byte_in_a_users_page_that_the_kernels_stack_ran_into(view: KernelView) -> None:
    answer = what_is(view, TIMESPEC_PLACE, Time(OVERWRITE))
    assert answer.owner is not None
    assert answer.stack is not None
    assert answer.frame is not None
    assert answer.owner.text == "user page 0x40010000 (rw) of space 0x8000000000080511"
    assert (answer.stack.text, answer.stack.from_top, answer.stack.is_live) == ("stack 7", 12_800, True)
    assert answer.stack.task is not None
    assert answer.stack.task.number == 5
    assert (answer.frame.frame.function, answer.frame.offset) == ("trap_entry", 0)
    assert [mapping.address_of(TIMESPEC_PLACE) for mapping in answer.mappings] == [TIMESPEC_ADDRESS]
    assert answer.last_write is not None
    assert answer.last_write.symbol is None


def test_a_users_address_and_who_wrote_there(view: KernelView) -> None:
    answer = what_is(view, TIMESPEC_ADDRESS, Time(GETTY_FUTEX), virtual=True)
    assert (answer.physical, answer.problem) == (TIMESPEC_PLACE, None)
    assert answer.last_write is not None
    assert answer.last_write.symbol is not None
    assert (answer.last_write.access.t, answer.last_write.symbol.name) == (OVERWRITE, "trap_entry")


def test_an_address_that_is_not_mapped_says_why(view: KernelView) -> None:
    answer = what_is(view, 0x1234, view.trace.end, virtual=True)
    assert (answer.physical, answer.owner) == (None, None)
    assert answer.problem is not None
    assert answer.problem.startswith("0x1234 is not mapped")


def test_sections_tell_what_the_kernels_image_holds(view: KernelView) -> None:
    contents = view.trace.symbols.contents
    assert contents(VirtualAddress(0x8020_1000), 4096) == {Content.CODE}
    assert contents(VirtualAddress(0x8020_2830), 8) == {Content.READ_ONLY}
    assert contents(VirtualAddress(0x8020_2000), 8192) == {Content.CODE, Content.READ_ONLY, Content.DATA}
    assert contents(VirtualAddress(0x8051_4000), 4096) == set()
