"""List the stacks outside user mode: where each begins and ends, and how low it came.

As everything stands at T: the lowest stack pointer until then, and what is live. A base is shown where
something tells it, with what that is; "left" are the bytes between it and the lowest stack pointer.

    tracedbg stacks trace.bin
    tracedbg stacks trace.bin --at sys_futex#2 --json
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
    from tracedbg.kernel.stack_states import StackState
    from tracedbg.kernel.view import KernelView

COLUMNS = (
    Column("stack", Kind.NUMBER),
    Column("symbol", Kind.TEXT),
    Column("privilege", Kind.TEXT),
    Column("base", Kind.ADDRESS),
    Column("top", Kind.ADDRESS),
    Column("known_by", Kind.TEXT, "base known by"),
    Column("lowest_sp", Kind.ADDRESS),
    Column("left", Kind.COUNT),
    Column("state", Kind.TEXT),
    Column("hart", Kind.NUMBER),
    Column("sp", Kind.ADDRESS),
    Column("task", Kind.NUMBER),
    Column("first", Kind.NUMBER),
    Column("uses", Kind.COUNT),
)


@subcommand(__doc__)
@trace_argument
@click.option("--at", default="end", show_default=True, metavar="T", help="The moment to look at.")
@config_option
@json_option
def command(trace: Path, symbols: Sequence[Path], at: str, config: Path | None, as_json: bool) -> None:
    """Prints a row for each stack that had been used, in order of first use."""
    from tracedbg.kernel.stack_states import stacks_at

    with open_kernel(trace, symbols, config) as view:
        cells = [_row(view, state) for state in stacks_at(view, view.trace.position(at))]
    show(Grid(COLUMNS, cells), as_json)
    if not cells:
        click.echo("no stack was seen until then", err=True)


def _row(view: "KernelView", state: "StackState") -> tuple[Cell, ...]:
    stack = state.stack
    return (
        stack.number,
        stack.symbol or "",
        view.index.arch.privilege_name(stack.privilege),
        stack.base,
        stack.top,
        stack.base_source.value,
        state.low,
        state.left,
        state.standing.value,
        state.hart,
        state.sp,
        None if state.task is None else state.task.number,
        state.first,
        state.uses,
    )
