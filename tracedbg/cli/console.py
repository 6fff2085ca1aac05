"""Print what the guest printed, each line with the t of its first byte.

The console is what the guest stored to the data register of a UART.

    tracedbg console trace.bin
    tracedbg console trace.bin --until end-100000 --json
"""

from collections.abc import Sequence
from pathlib import Path

import click

from tracedbg.cli.opened import open_trace, trace_argument
from tracedbg.cli.output import Column, Grid, Kind, json_option, show
from tracedbg.cli.subcommand import subcommand
from tracedbg.session.printable import printable

COLUMNS = (Column("t", Kind.NUMBER), Column("text", Kind.TEXT))


@subcommand(__doc__)
@trace_argument
@click.option("--until", metavar="T", default="end", help="Only what was printed before this position.")
@json_option
def command(trace: Path, symbols: Sequence[Path], until: str, as_json: bool) -> None:
    """Prints the lines."""
    with open_trace(trace, symbols) as opened:
        lines = list(opened.console(until).iter_lines())
    if as_json:
        show(Grid(COLUMNS, [(int(t), text) for t, text in lines]), as_json)
        return
    width = len(str(lines[-1][0])) if lines else 0
    for t, text in lines:
        click.echo(f"{t:>{width}}  {printable(text.encode())}".rstrip())
