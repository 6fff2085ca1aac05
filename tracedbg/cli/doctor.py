"""Say what this machine lacks for recording, and how to get it.

Checks Python, QEMU and its plugins, the C compiler that builds the recorder, gdb, the folder where the
compiled recorder is kept, and the disk. The exit code is 0 when nothing is missing, else 1.

    tracedbg doctor
    tracedbg doctor --json
"""

import click

from tracedbg.cli.output import Column, Grid, Kind, json_option, show
from tracedbg.cli.subcommand import subcommand
from tracedbg.record.doctor import Check, diagnose

COLUMNS = (
    Column("name", Kind.TEXT),
    Column("ok", Kind.YES),
    Column("found", Kind.TEXT),
    Column("todo", Kind.TEXT),
)


@subcommand(__doc__)
@json_option
def command(as_json: bool) -> int:
    """Prints a line for each check, and what to do about each that fails."""
    checks = diagnose()
    if as_json:
        show(Grid(COLUMNS, [(check.name, check.ok, check.found, check.todo) for check in checks]), as_json)
    else:
        for check in checks:
            click.echo(line(check))
    return 0 if all(check.ok for check in checks) else 1


def line(check: Check) -> str:
    """The check as a person reads it; one that failed says what to do."""
    if check.ok:
        return f"{click.style('ok', fg='green')}       {check.name}: {check.found}"
    return f"{click.style('missing', fg='red')}  {check.name}: {check.found}; {check.todo}"
