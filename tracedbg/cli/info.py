"""Say what a trace holds: how much, of which machine, and how it ended.

Also the share of instructions at each privilege, what each part of the file takes, and the console's tail.

    tracedbg info trace.bin
    tracedbg info trace.bin --json
"""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.output import Column, Form, Grid, Kind, Report, json_option, show
from tracedbg.cli.subcommand import subcommand

if TYPE_CHECKING:
    from tracedbg.query.contents import Contents
    from tracedbg.store import Trace

CONSOLE_LINES = 5

SUMMARY = (
    Column("path", Kind.TEXT),
    Column("instructions", Kind.COUNT),
    Column("start", Kind.NUMBER, "first t"),
    Column("end", Kind.NUMBER, "t after the last"),
    Column("harts", Kind.NUMBER),
    Column("arch", Kind.TEXT),
    Column("ram", Kind.SIZE),
    Column("qemu", Kind.TEXT, "QEMU"),
    Column("command", Kind.TEXT),
    Column("clock", Kind.TEXT),
    Column("ended_by", Kind.TEXT),
    Column("exit_code", Kind.NUMBER),
    Column("size", Kind.SIZE),
    Column("bytes_per_instruction", Kind.TEXT),
    Column("source", Kind.TEXT),
    Column("stops", Kind.COUNT),
    Column("gaps", Kind.COUNT, "gaps in what was seen"),
)
CAPTURE_ONLY = ("source", "stops", "gaps")
SHARES = (Column("privilege", Kind.TEXT), Column("share", Kind.SHARE))
SIZES = (Column("topic", Kind.TEXT), Column("size", Kind.SIZE))
SENTENCES = (Column("text", Kind.TEXT, "-"),)
ATTACHMENTS = (Column("name", Kind.TEXT), Column("media_type", Kind.TEXT), Column("size", Kind.SIZE))
CONSOLE = (Column("t", Kind.NUMBER), Column("text", Kind.TEXT))


@subcommand(__doc__)
@click.argument("trace", type=click.Path(path_type=Path))
@json_option
def command(trace: Path, as_json: bool) -> None:
    """Prints the summary, then parts that have something in them."""
    from tracedbg.query.contents import contents
    from tracedbg.store import Trace

    with Trace.open(trace) as opened:
        report = _report(opened, contents(opened))
    shown = {name: part for name, part in report.items() if as_json or isinstance(part, Form) or part.rows}
    show(Report(shown), as_json)


def _report(trace: "Trace", found: "Contents") -> dict[str, Form | Grid]:
    from tracedbg.session.printable import printable
    from tracedbg.state.console import console_before

    lines = [line for line in console_before(trace, trace.end).iter_lines() if line[1].strip()]
    notes = trace.ending.notes if trace.ending else ()
    return {
        "": _summary_form(trace, found),
        "privilege_shares": Grid(SHARES, [*found.shares.items()]),
        "sizes": Grid(SIZES, [(name, size) for name, size in found.sizes.items() if size]),
        "attachments": Grid(ATTACHMENTS, [(e.name, e.media_type, e.size) for e in trace.attachments]),
        "notes": Grid(SENTENCES, [(note,) for note in notes]),
        "losses": Grid(SENTENCES, [(loss,) for loss in trace.losses]),
        "console_tail": Grid(
            CONSOLE, [(int(t), printable(text.encode())) for t, text in lines[-CONSOLE_LINES:]]
        ),
    }


def _summary_form(trace: "Trace", found: "Contents") -> Form:
    row = [*_summary(trace, found), trace.guest.source, len(trace.stops.stops.t), len(trace.stops.gaps)]
    count = len(SUMMARY) if trace.guest.is_capture else len(SUMMARY) - len(CAPTURE_ONLY)
    return Form(SUMMARY[:count], row[:count])


def _summary(trace: "Trace", found: "Contents") -> list[str | int | None]:
    guest, ending = trace.guest, trace.ending
    return [
        trace.path,
        found.instructions,
        int(found.start),
        int(found.end),
        guest.harts,
        guest.arch,
        sum(area.size for area in guest.ram),
        guest.qemu,
        shlex.join(guest.command),
        guest.clock,
        ending.how if ending else None,
        ending.exit_code if ending else None,
        trace.size,
        f"{trace.size / max(found.instructions, 1):.2f}",
    ]
