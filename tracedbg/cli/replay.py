"""Look at a trace on a screen, and step through time in both directions.

TRACE is a file that `tracedbg record` made. The screen opens at the last instruction of the kernel, or at
the position given with --at: a t such as 12345, start, end, end-1000, last-kernel, sys_futex, sys_futex#3 or
pc=0x80200000. Press ? for the keys, n for what went wrong.

    tracedbg replay trace.bin
    tracedbg replay trace.bin --at sys_futex#3
    tracedbg replay trace.bin --symbols kernel.elf --symbols init.elf
"""

import sys
from pathlib import Path

import click

from tracedbg.cli.subcommand import subcommand
from tracedbg.errors import UsageError


@subcommand(__doc__)
@click.argument("trace", type=click.Path(path_type=Path))
@click.option("--at", "position", metavar="T", help="The position to open at.")
@click.option(
    "--symbols",
    type=click.Path(path_type=Path),
    multiple=True,
    metavar="ELF",
    help="An ELF file with symbols, beyond those in the trace; may be given several times.",
)
def command(trace: Path, position: str | None, symbols: tuple[Path, ...]) -> int:
    """Opens the screen; it stays until it is left."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError("replay needs a terminal to show its screen on; `tracedbg state` prints a moment")
    import tracedbg
    from tracedbg.session import Session
    from tracedbg.tui.app import ReplayApp

    with tracedbg.open(trace, symbols=symbols) as opened:
        at = None if position is None else opened.position(position)
        app = ReplayApp(Session(opened, at=at))
        app.run()
        return app.return_code or 0
