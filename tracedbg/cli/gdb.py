"""Start gdb on a trace, with its symbols, or run a gdb session that is kept as a script.

TARGET is a trace, or HOST:PORT or unix:PATH where a server listens. Without a script gdb gets the terminal:
`goto T` moves in time, `monitor help` lists what else a recording can be asked. SCRIPT is a file of gdb's own
commands (.gdb), or a Python file (.py) with a function main(session), which gets a tracedbg.gdb.Session; the
exit code is 1 when one of its asserts, or a command, fails.

    tracedbg gdb trace.bin
    tracedbg gdb trace.bin -x investigation.gdb
    tracedbg gdb trace.bin -x investigation.py --json
    tracedbg gdb localhost:1234 --symbols kernel.elf
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.opened import open_trace, symbols_option
from tracedbg.cli.subcommand import subcommand
from tracedbg.errors import UsageError

if TYPE_CHECKING:
    from tracedbg.gdb.hosting import Target
    from tracedbg.gdb.log import Step
    from tracedbg.gdb.script import Outcome

ENDINGS = (".gdb", ".py")


@subcommand(__doc__)
@click.argument("target", metavar="TARGET")
@click.option(
    "-x",
    "--script",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Run this and end.",
)
@symbols_option
@click.option(
    "--at", metavar="T", help="Where in time gdb begins; the kernel's last instruction unless said."
)
@click.option("--gdb", "program", metavar="PROGRAM", help="The gdb to use.")
@click.option("--json", "as_json", is_flag=True, help="Print what a .py script found as JSON.")
def command(
    target: str,
    script: Path | None,
    symbols: Sequence[Path],
    at: str | None,
    program: str | None,
    as_json: bool,
) -> int:
    """Runs gdb; returns its exit code, or whether the script held."""
    if script is not None and script.suffix not in ENDINGS:
        raise UsageError(f"{script}: a script's name ends in {' or '.join(ENDINGS)}")
    if as_json and (script is None or script.suffix != ".py"):
        raise UsageError("--json is for .py scripts; what gdb itself prints is text")
    from tracedbg.gdb.hosting import run_gdb

    with _target(target, symbols, at, program) as (gdb, found):
        if script is None or script.suffix == ".gdb":
            return run_gdb(gdb, found, script)
        outcome = _run_session(gdb, found, script, as_json)
    if as_json:
        click.echo(json.dumps(outcome.json(), indent=2, ensure_ascii=False))
    if outcome.failure is not None:
        click.echo(f"{script}: {outcome.failure}", err=True)
        return 1
    return 0


@contextmanager
def _target(
    target: str, symbols: Sequence[Path], at: str | None, program: str | None
) -> "Iterator[tuple[str, Target]]":
    """The gdb to start, and what it connects to."""
    from tracedbg.gdb.hosting import hosted, remote
    from tracedbg.gdb.kernel_answers import served_with_kernel
    from tracedbg.gdb.launch import find_gdb
    from tracedbg.gdb.transport import parse_address
    from tracedbg.session.session import last_moment

    if not Path(target).exists() and ":" in target:
        if at is not None:
            raise UsageError("--at is for traces; a server has its own place in time")
        yield find_gdb(None, program), remote(parse_address(target), symbols)
        return
    with open_trace(Path(target), symbols) as trace:
        gdb = find_gdb(trace.recording.arch.debugger_layout().architecture, program)
        served = served_with_kernel(trace, last_moment(trace) if at is None else trace.position(at))
        with hosted(served, symbols) as found:
            yield gdb, found


def _run_session(gdb: str, target: "Target", script: Path, as_json: bool) -> "Outcome":
    """Runs a Python script, each step shown as it ends unless all of it is wanted as JSON."""
    from tracedbg.gdb.launch import GdbError
    from tracedbg.gdb.log import Log
    from tracedbg.gdb.mi import MachineInterface
    from tracedbg.gdb.script import run_script
    from tracedbg.gdb.session import Session

    with MachineInterface(gdb, ()) as driver:
        for line in target.commands:
            driver.console(line)
        try:
            driver.console(target.connect)
        except GdbError as error:
            raise GdbError(f"{target.connect}: {error}; is a gdbstub listening there?") from error
        return run_script(script, Session(driver, Log(_ignore if as_json else _show), str(script)))


def _ignore(_: "Step") -> None:
    """Shows nothing."""


def _show(step: "Step") -> None:
    """Prints a step as a line, what it found below it where that is more than one line."""
    from tracedbg.gdb.log import as_text

    lines = as_text(step.result).rstrip().splitlines()
    if len(lines) == 1:
        click.echo(f"{step.number:>3}  {step.call}  {lines[0]}")
        return
    click.echo(f"{step.number:>3}  {step.call}")
    for line in lines:
        click.echo(f"       {line}")
