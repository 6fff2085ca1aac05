"""Names of tasks: from the author's table, the programs that they executed, and their stacks."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from tracedbg.arch import Use
from tracedbg.ids import Time
from tracedbg.kernel.call_arguments import ArgumentReader, signed
from tracedbg.kernel.call_names import CallNames
from tracedbg.kernel.hints import TaskTable
from tracedbg.kernel.stacks import Stack
from tracedbg.kernel.system_calls import SystemCalls
from tracedbg.kernel.tasks import Task, TaskName, TaskNameSource, Tasks
from tracedbg.state import Trace

EXECUTING = frozenset(("execve", "execveat", "exec"))
LARGEST_STACK = 1 << 20
"""Bytes below a stack's top in which its lowest address is looked for, where that is not known."""
MOST_PROGRAMS = 10_000
"""Calls that execute programs of which the names are read; of more the last ones."""


def programs_of(
    tasks: Tasks, calls: SystemCalls, names: CallNames, arguments: ArgumentReader
) -> dict[int, str]:
    """Return the last program that each task executed, as the last part of its path, by task number."""
    rows = calls.rows
    numbers = [n for n in np.unique(rows["number"]).tolist() if names.text(n) in EXECUTING]
    chosen = np.flatnonzero(np.isin(rows["number"], numbers) & rows["number_known"])[-MOST_PROGRAMS:]
    found: dict[int, str] = {}
    for row in chosen.tolist():
        call = calls.call(row)
        failed = call.result is not None and signed(call.result) < 0
        number = tasks.number_at(call.hart, call.t)
        path = arguments.string("path", names.text(call.number), call)
        if number is not None and path and not failed:
            found[number] = path.rsplit("/", 1)[-1]
    return found


def named(
    trace: Trace, tasks: Tasks, programs: dict[int, str], tables: tuple[TaskTable, ...]
) -> tuple[Task, ...]:
    """Return the tasks with their names, the author's first."""
    tops = sorted({task.stack.top for task in tasks.unnamed if task.stack is not None})
    found, shared = [], _objects_of_several(tasks.unnamed)
    for task in tasks.unnamed:
        hinted = None if task.stack is None else _hinted(trace, task, _room(task.stack, tops), tables)
        name = _name(task, programs, shared) if not hinted else TaskName(hinted, TaskNameSource.HINT)
        found.append(replace(task, name=name))
    return tuple(found)


def _room(stack: Stack, tops: list[int]) -> range:
    """Return the addresses that may lie in a stack: from its base, or the top of the one below."""
    below = max((top for top in tops if top < stack.top), default=0)
    lowest = stack.top - LARGEST_STACK if stack.base is None else stack.base
    return range(max(below, lowest), stack.top)


def _objects_of_several(tasks: Sequence[Task]) -> set[str]:
    """Return the objects that hold the stacks of several tasks, as arrays and heaps do; they name none."""
    tops: dict[str, set[int]] = {}
    for task in tasks:
        if task.stack is not None and task.stack.symbol is not None:
            tops.setdefault(task.stack.symbol, set()).add(task.stack.top)
    return {symbol for symbol, found in tops.items() if len(found) > 1}


def _name(task: Task, programs: dict[int, str], shared: set[str]) -> TaskName | None:
    if task.number in programs:
        return TaskName(programs[task.number], TaskNameSource.PROGRAM)
    if task.is_idle:
        return TaskName("idle", TaskNameSource.IDLE)
    if task.stack is not None and task.stack.symbol is not None and task.stack.symbol not in shared:
        return TaskName(task.stack.symbol, TaskNameSource.STACK)
    return None


def _hinted(trace: Trace, task: Task, room: range, tables: tuple[TaskTable, ...]) -> str | None:
    t = Time(max(task.last - 1, trace.start))
    return next((name for table in tables for name in _in_table(trace, table, room, t)), None)


def _in_table(trace: Trace, table: TaskTable, room: range, t: Time) -> Iterator[str]:
    """Yield the names of the structures at ``t`` whose field is an address in ``room``."""
    moment = trace.at(t)
    space = moment.address_space(Use.DATA)
    for place in range(table.count):
        start = table.symbol.address + place * table.size
        word = moment.memory.read_virtual(start + table.stack, trace.recording.arch.word_size, space=space)
        if word.integer is not None and word.integer in room:
            known = moment.memory.read_virtual(start + table.name, table.name_size, space=space)
            yield known.data.split(b"\0", 1)[0].decode("utf-8", "replace")
