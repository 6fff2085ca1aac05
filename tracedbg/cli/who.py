"""Say who last wrote a byte of memory, and from which call stack.

ADDRESS is a number or a symbol, with an optional +OFFSET and :SIZE (a symbol's own size, else 8 bytes, where
none is given): the newest store or change of any of these bytes is shown. Addresses are physical, or virtual
with --virtual; a symbol's is virtual.

    tracedbg who trace.bin 0x80501ee0
    tracedbg who trace.bin run_queue+8:4 --before sys_futex#3
    tracedbg who trace.bin 0x40010000:16 --virtual --before end-1000 --json
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.opened import kind_text, line_text, open_trace, place_text, stack_grid, trace_argument
from tracedbg.cli.output import Column, Form, Kind, Report, json_option, show
from tracedbg.cli.subcommand import subcommand
from tracedbg.errors import TracedbgError

if TYPE_CHECKING:
    from tracedbg.state import Origin, Trace

COLUMNS = (
    Column("t", Kind.NUMBER),
    Column("hart", Kind.NUMBER),
    Column("kind", Kind.TEXT),
    Column("pc", Kind.ADDRESS),
    Column("symbol", Kind.TEXT),
    Column("line", Kind.TEXT),
    Column("value", Kind.ADDRESS),
    Column("size", Kind.NUMBER),
    Column("virtual", Kind.ADDRESS),
    Column("physical", Kind.ADDRESS),
    Column("since", Kind.NUMBER),
)
CHANGE_ONLY = ("since",)
STORE_ONLY = ("hart", "pc", "symbol", "line", "virtual")


@subcommand(__doc__)
@trace_argument
@click.argument("address", metavar="ADDRESS[:SIZE]")
@click.option(
    "--before", default="end", show_default=True, metavar="T", help="The last one before this moment."
)
@click.option("--virtual", is_flag=True, help="ADDRESS is virtual, as translated at T.")
@json_option
def command(
    trace: Path, symbols: Sequence[Path], address: str, before: str, virtual: bool, as_json: bool
) -> None:
    """Prints the write and the stack behind it; fails when nothing wrote there."""
    with open_trace(trace, symbols) as opened:
        access = opened.last_write(address, before, virtual=virtual)
        if access is None:
            opened.require_memory(address, before, virtual=virtual)
            raise TracedbgError(
                f"{address}: nothing wrote there from {opened.start} to {opened.position(before)}: "
                "it holds what it held when the recording began"
            )
        show(report(opened, opened.origin(access)), as_json)


def report(trace: "Trace", origin: "Origin") -> Report:
    """Everything that is known of the write, and the stack behind it."""
    return Report({"": write_form(origin), "stack": stack_grid(trace, origin.stack)})


def write_form(origin: "Origin") -> Form:
    """A write without its stack; a change has no code, and a store no uncertain beginning."""
    access = origin.access
    cells = {
        "t": access.t,
        "hart": access.hart,
        "kind": kind_text(access),
        "pc": origin.pc,
        "symbol": place_text(origin.symbol),
        "line": line_text(origin.line),
        "value": access.value,
        "size": access.size,
        "virtual": access.virtual,
        "physical": access.physical,
        "since": access.since,
    }
    left_out = CHANGE_ONLY if access.cause is None else STORE_ONLY
    columns = [column for column in COLUMNS if column.name not in left_out]
    return Form(columns, [cells[column.name] for column in columns])
