"""List the traps that harts took: exceptions, interrupts and calls, with cause, place and task.

A row stands at the first instruction of the handler. The value is what the hart put beside the cause: an
address for faults. Which task a trap came in takes a pass over the whole trace; --no-tasks leaves it out.

    tracedbg traps trace.bin --between end-100000..end
    tracedbg traps trace.bin --cause "page fault" --limit 20
    tracedbg traps trace.bin --hart 1 --no-tasks --json
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.kernel import open_kernel
from tracedbg.cli.opened import config_option, place_text, trace_argument
from tracedbg.cli.output import Cell, Column, Grid, Kind, json_option, show
from tracedbg.cli.rows import between_option, limit_option, no_tasks_option, say_more, window_of
from tracedbg.cli.subcommand import subcommand
from tracedbg.ids import Hart, Time, VirtualAddress

if TYPE_CHECKING:
    import numpy as np

    from tracedbg.kernel.view import KernelView
    from tracedbg.query.rows import Rows
    from tracedbg.store.source import Flags

COLUMNS = (
    Column("t", Kind.NUMBER),
    Column("hart", Kind.NUMBER),
    Column("cause", Kind.TEXT),
    Column("code", Kind.ADDRESS),
    Column("epc", Kind.ADDRESS),
    Column("symbol", Kind.TEXT),
    Column("tval", Kind.ADDRESS),
    Column("source", Kind.TEXT, "from"),
    Column("target", Kind.TEXT, "to"),
    Column("task", Kind.NUMBER),
)


@subcommand(__doc__)
@trace_argument
@between_option
@click.option("--cause", metavar="TEXT", help="Only causes with this text in their name, or of this number.")
@click.option("--hart", type=click.IntRange(min=0), metavar="N", help="Only traps of this hart.")
@no_tasks_option
@limit_option
@config_option
@json_option
def command(
    trace: Path,
    symbols: Sequence[Path],
    between: str | None,
    cause: str | None,
    hart: int | None,
    with_tasks: bool,
    limit: int,
    config: Path | None,
    as_json: bool,
) -> None:
    """Prints a row for each trap, in order of t."""
    with open_kernel(trace, symbols, config) as view:
        first, last = view.trace.window(window_of(between))
        rows, left_out = view.index.traps, int(view.index.traps_left_out.sum())
        # The handler of a trap at the end never began.
        chosen = rows[(rows["t"] >= first) & ((rows["t"] < last) | (last == view.trace.end))]
        if hart is not None:
            chosen = chosen[chosen["hart"] == hart]
        if cause is not None:
            chosen = chosen[_has_cause(view, chosen, cause)]
        cells = [_row(view, row, with_tasks) for row in chosen[:limit]]
    show(Grid(COLUMNS, cells), as_json)
    say_more(len(chosen) - limit)
    if left_out:
        click.echo(
            f"of very many traps the first and the last ones are known; {left_out:,} are not", err=True
        )


def _has_cause(view: "KernelView", rows: "Rows", text: str) -> "Flags":
    """Say of each trap whether its cause is meant; says on standard error which ones there are if none is."""
    import numpy as np

    causes = np.unique(rows["cause"]).tolist()
    names = {cause: view.index.arch.cause_name(cause) for cause in causes}
    found = [
        cause for cause in causes if text.lower() in names[cause].lower() or text in (str(cause), hex(cause))
    ]
    if causes and not found:
        click.echo(f"no trap has the cause {text}; there are {', '.join(names.values())}", err=True)
    return np.isin(rows["cause"], np.array(found, np.uint64))


def _row(view: "KernelView", row: "np.void", with_tasks: bool) -> tuple[Cell, ...]:
    arch, epc = view.index.arch, int(row["epc"])
    task = view.task_at(Hart(int(row["hart"])), Time(int(row["t"]))) if with_tasks else None
    return (
        int(row["t"]),
        int(row["hart"]),
        arch.cause_name(int(row["cause"])),
        int(row["cause"]),
        epc,
        place_text(view.trace.symbols.at(VirtualAddress(epc))),
        int(row["tval"]),
        arch.privilege_name(int(row["source"])),
        arch.privilege_name(int(row["target"])),
        None if task is None else task.number,
    )
