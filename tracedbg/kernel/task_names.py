"""Names of tasks: from the author's table, the programs that they executed, and their stacks."""

from collections.abc import Iterator
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
    return tuple(replace(task, name=_name(trace, task, programs, tables)) for task in tasks.unnamed)


def _name(
    trace: Trace, task: Task, programs: dict[int, str], tables: tuple[TaskTable, ...]
) -> TaskName | None:
    if task.stack is not None:
        t = Time(min(task.last, trace.end))
        hinted = next((name for table in tables for name in _in_table(trace, table, task.stack, t)), None)
        if hinted:
            return TaskName(hinted, TaskNameSource.HINT)
    if task.number in programs:
        return TaskName(programs[task.number], TaskNameSource.PROGRAM)
    if task.is_idle:
        return TaskName("idle", TaskNameSource.IDLE)
    if task.stack is not None and task.stack.symbol is not None:
        return TaskName(task.stack.symbol, TaskNameSource.STACK)
    return None


def _in_table(trace: Trace, table: TaskTable, stack: Stack, t: Time) -> Iterator[str]:
    """Yield the names of the structures at ``t`` whose field lies in a stack."""
    moment = trace.at(t)
    space = moment.address_space(Use.DATA)
    lowest = stack.low if stack.base is None else stack.base
    for place in range(table.count):
        start = table.symbol.address + place * table.size
        word = moment.memory.read_virtual(start + table.stack, trace.recording.arch.word_size, space=space)
        if word.integer is not None and lowest <= word.integer <= stack.top:
            known = moment.memory.read_virtual(start + table.name, table.name_size, space=space)
            yield known.data.split(b"\0", 1)[0].decode("utf-8", "replace")
