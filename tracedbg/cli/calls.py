"""List the system calls that user mode made, with arguments and results.

A name is shown where something confirms what the number means: a banner of Linux on the console, a function
such as sys_write that all calls of the number reach, or tracedbg.toml; then arguments are decoded, with what
they point to in the caller's memory. Else it is the number, with raw arguments. A call that never returned,
or whose return is not known, has none. Which task made a call takes a pass over the whole trace; --no-tasks
leaves it out.

    tracedbg calls trace.bin
    tracedbg calls trace.bin --name futex --between start..end-1000
    tracedbg calls trace.bin --limit 20 --no-tasks --json
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.kernel import open_kernel
from tracedbg.cli.opened import config_option, trace_argument
from tracedbg.cli.output import Cell, Column, Grid, Kind, json_option, show
from tracedbg.cli.rows import between_option, limit_option, no_tasks_option, say_more, window_of
from tracedbg.cli.subcommand import subcommand

if TYPE_CHECKING:
    from tracedbg.kernel.view import KernelView

COLUMNS = (
    Column("t", Kind.NUMBER),
    Column("hart", Kind.NUMBER),
    Column("task", Kind.NUMBER),
    Column("number", Kind.NUMBER),
    Column("returned", Kind.NUMBER),
    Column("duration", Kind.COUNT),
    Column("result", Kind.NUMBER),
    Column("error", Kind.TEXT),
    Column("call", Kind.TEXT),
)


@subcommand(__doc__)
@trace_argument
@between_option
@click.option("--name", metavar="NAME", help="Only calls of this name, or of this number.")
@no_tasks_option
@limit_option
@config_option
@json_option
def command(
    trace: Path,
    symbols: Sequence[Path],
    between: str | None,
    name: str | None,
    with_tasks: bool,
    limit: int,
    config: Path | None,
    as_json: bool,
) -> None:
    """Prints a row for each call, in order of t; how names are known goes to standard error."""
    import numpy as np

    with open_kernel(trace, symbols, config) as view:
        first, last = view.trace.window(window_of(between))
        rows = view.system_calls.rows
        keep = (rows["t"] >= first) & (rows["t"] < last)
        if name is not None:
            numbers = [
                number for number in np.unique(rows["number"]).tolist() if name in _names(view, number)
            ]
            keep &= np.isin(rows["number"], np.array(numbers, rows["number"].dtype))
        chosen = np.flatnonzero(keep).tolist()
        cells = [_row(view, row, with_tasks) for row in chosen[:limit]]
        sources = ", ".join(source.value for source in view.call_names.sources)
    show(Grid(COLUMNS, cells), as_json)
    say_more(len(chosen) - limit)
    click.echo(f"names by {sources}" if sources else "nothing confirms the names of calls", err=True)


def _names(view: "KernelView", number: int) -> tuple[str, str]:
    return str(number), view.call_names.text(number)


def _row(view: "KernelView", row: int, with_tasks: bool) -> tuple[Cell, ...]:
    from tracedbg.kernel.call_arguments import call_text, error_name, signed

    call = view.system_calls.call(row)
    found = view.call_names.find(call.number)
    arguments = () if found is None else view.arguments.decode(found.name, call)
    # An error's name is Linux's: of a kernel whose calls nothing names it may mean something else.
    error = "" if found is None else error_name(call.result) or ""
    result = None if call.result is None else signed(call.result)
    text = call_text(view.call_names.text(call.number), call, arguments, with_result=False)
    task = view.task_at(call.hart, call.t) if with_tasks else None
    number = None if task is None else task.number
    return call.t, call.hart, number, call.number, call.returned, call.duration, result, error, text
