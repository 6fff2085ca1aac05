"""List who loaded, stored or otherwise changed bytes of memory.

RANGE is an address, ADDRESS:SIZE (8 bytes where no size is given), or a symbol with an optional +OFFSET and
:SIZE. Addresses are physical, or virtual with --virtual; a symbol's is virtual. A change is what no
instruction did: a device's DMA, bits that the page-table walk set, a reset.

    tracedbg accesses trace.bin 0x80501ee0:8
    tracedbg accesses trace.bin task_table --kind store --between sys_futex..end
    tracedbg accesses trace.bin 0x40010000:16 --virtual --limit 20 --json
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.opened import kind_text, line_text, open_trace, place_text, trace_argument
from tracedbg.cli.output import Column, Grid, Kind, json_option, show
from tracedbg.cli.rows import between_option, limit_option, say_more, window_of
from tracedbg.cli.subcommand import subcommand
from tracedbg.query import Access

if TYPE_CHECKING:
    from tracedbg.state import Trace

COLUMNS = (
    Column("t", Kind.NUMBER),
    Column("hart", Kind.NUMBER),
    Column("kind", Kind.TEXT),
    Column("size", Kind.NUMBER),
    Column("value", Kind.ADDRESS),
    Column("virtual", Kind.ADDRESS),
    Column("physical", Kind.ADDRESS),
    Column("pc", Kind.ADDRESS),
    Column("symbol", Kind.TEXT),
    Column("line", Kind.TEXT),
)


@subcommand(__doc__)
@trace_argument
@click.argument("range", metavar="RANGE")
@between_option
@click.option("--kind", type=click.Choice(("load", "store", "change")), help="Only these.")
@limit_option
@click.option("--virtual", is_flag=True, help="Addresses are virtual, as translated at A.")
@json_option
def command(
    trace: Path,
    symbols: Sequence[Path],
    range: str,
    between: str | None,
    kind: str | None,
    limit: int,
    virtual: bool,
    as_json: bool,
) -> None:
    """Prints a row for each access, in order of t."""
    with open_trace(trace, symbols) as opened:
        rows = opened.accesses(range, between=window_of(between), kind=kind or "any", virtual=virtual)
        if not len(rows):
            opened.require_memory(range, opened.start, virtual=virtual)
        show(Grid(COLUMNS, [_row(opened, Access.of(row)) for row in rows[:limit]]), as_json)
        say_more(len(rows) - limit)


def _row(trace: "Trace", access: Access) -> tuple[str | int | None, ...]:
    pc = trace.pc_of(access)
    return (
        access.t,
        access.hart,
        kind_text(access),
        access.size,
        access.value,
        access.virtual,
        access.physical,
        pc,
        "" if pc is None else place_text(trace.symbols.at(pc)),
        "" if pc is None else line_text(trace.symbols.line_at(pc)),
    )
