"""List the tasks that ran: who, when, and for how long.

A task is a kernel stack, or an address space where several take turns on one stack. A name is shown where
something tells it: tracedbg.toml, a program that the task executed, or the symbol of its stack. Time counts
the instructions that started while a hart worked for the task, of all harts.

    tracedbg tasks trace.bin
    tracedbg tasks trace.bin --json
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.kernel import open_kernel
from tracedbg.cli.opened import config_option, trace_argument
from tracedbg.cli.output import Cell, Column, Grid, Kind, json_option, show
from tracedbg.cli.subcommand import subcommand

if TYPE_CHECKING:
    from tracedbg.kernel.tasks import Task

COLUMNS = (
    Column("task", Kind.NUMBER),
    Column("name", Kind.TEXT),
    Column("named_by", Kind.TEXT),
    Column("first", Kind.NUMBER),
    Column("last", Kind.NUMBER),
    Column("time", Kind.COUNT),
    Column("stack_top", Kind.ADDRESS),
    Column("space", Kind.ADDRESS),
    Column("idle", Kind.YES),
)


@subcommand(__doc__)
@trace_argument
@config_option
@json_option
def command(trace: Path, symbols: Sequence[Path], config: Path | None, as_json: bool) -> None:
    """Prints a row for each task, in order of first run."""
    with open_kernel(trace, symbols, config) as view:
        tasks = view.tasks
    show(Grid(COLUMNS, [_row(task) for task in tasks]), as_json)
    if not tasks:
        click.echo("no stack was seen that a task could have", err=True)


def _row(task: "Task") -> tuple[Cell, ...]:
    return (
        task.number,
        "" if task.name is None else task.name.text,
        "" if task.name is None else task.name.source.value,
        task.first,
        task.last,
        task.time,
        None if task.stack is None else task.stack.top,
        task.root,
        task.is_idle,
    )
