"""List the address spaces: when each was in use, its page tables and its user pages.

A space is a value of the register that turns translation on (satp). Its tables are looked at as they were at
T, or when it was last in use before that; "user pages" are those that they map for user mode, "touched" those
that user mode touched in the whole trace.

    tracedbg spaces trace.bin
    tracedbg spaces trace.bin --at sys_futex#2 --json
"""

from collections.abc import Sequence
from pathlib import Path

import click

from tracedbg.cli.kernel import open_kernel
from tracedbg.cli.opened import config_option, trace_argument
from tracedbg.cli.output import Column, Grid, Kind, json_option, show
from tracedbg.cli.subcommand import subcommand

COLUMNS = (
    Column("root", Kind.ADDRESS),
    Column("mode", Kind.TEXT),
    Column("first", Kind.NUMBER),
    Column("last", Kind.NUMBER),
    Column("seen_at", Kind.NUMBER),
    Column("tables", Kind.COUNT),
    Column("user_pages", Kind.COUNT),
    Column("touched", Kind.COUNT),
)


@subcommand(__doc__)
@trace_argument
@click.option("--at", default="end", show_default=True, metavar="T", help="The moment to look at.")
@config_option
@json_option
def command(trace: Path, symbols: Sequence[Path], at: str, config: Path | None, as_json: bool) -> None:
    """Prints a row for each space that had been in use, in order of first use."""
    from tracedbg.kernel.spaces import spaces_at

    with open_kernel(trace, symbols, config) as view:
        found = spaces_at(view, view.trace.position(at))
    cells = [
        (one.space.root, one.space.mode, one.first, one.last, one.t, one.tables, one.user_pages, one.touched)
        for one in found
    ]
    show(Grid(COLUMNS, cells), as_json)
    if not cells:
        click.echo("what the address space register held is not known", err=True)
