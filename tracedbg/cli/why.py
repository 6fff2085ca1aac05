"""Say where a value came from, back to where it was made, or why the guest faulted.

TARGET is a register (a0, sp, pc, sepc), a range of memory as for who (0x8051a078:8, run_queue+8:4), or
fault: the last exception at or before T. The value is followed back through loads, stores, moves and
arithmetic to where it was made, also through other harts, with a line for each step. Where the walk stops
although it could go on, it says why, and what to ask for to go on.

    tracedbg why trace.bin fault
    tracedbg why trace.bin a0 --at sys_futex#3
    tracedbg why trace.bin 0x80501008:8 --at 1234567 --steps 200
    tracedbg why trace.bin 0x40010000:16 --virtual --at end-1000 --json
"""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from tracedbg.cli.opened import open_trace, stack_grid, trace_argument
from tracedbg.cli.output import json_option
from tracedbg.cli.subcommand import subcommand


@subcommand(__doc__)
@trace_argument
@click.argument("target", metavar="TARGET")
@click.option("--at", default="end", show_default=True, metavar="T", help="What it held at this moment.")
@click.option("--hart", type=int, help="A register, or the fault, of this hart [default: the one at T].")
@click.option("--virtual", is_flag=True, help="The address is virtual, as translated at T.")
@click.option("--steps", type=click.IntRange(1, 100_000), default=64, show_default=True, help="Most steps.")
@click.option("--seconds", type=float, default=10.0, show_default=True, help="Longest time to look.")
@json_option
def command(
    trace: Path,
    symbols: Sequence[Path],
    target: str,
    at: str,
    hart: int | None,
    virtual: bool,
    steps: int,
    seconds: float,
    as_json: bool,
) -> None:
    """Prints the steps, and the call stack of the first store among them."""
    from tracedbg.provenance import Limits, why
    from tracedbg.provenance.document import explanation_document
    from tracedbg.provenance.text import explanation_text

    with open_trace(trace, symbols) as opened:
        moment = at if hart is None else opened.at(at, hart=hart)
        limits = Limits(steps=steps, seconds=seconds)
        explanation = why(opened, target, at=moment, virtual=virtual, limits=limits)
        if as_json:
            click.echo(json.dumps(explanation_document(explanation), indent=2, ensure_ascii=False))
            return
        click.echo(explanation_text(explanation))
        if explanation.stack:
            click.echo(f"\ncall stack of #{explanation.stack_of}:")
            click.echo(stack_grid(opened, explanation.stack).text())
