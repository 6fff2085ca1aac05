"""Let a stock gdb debug a trace, forwards and backwards, through its remote protocol.

gdb connects with `target remote` and finds the guest as it was at the last instruction of the kernel, or
at the position given with --at. reverse-continue, reverse-stepi and watchpoints work at any distance, and
`monitor help` lists what else can be asked. `tracedbg gdb` starts server and gdb in one.

    tracedbg serve trace.bin
    tracedbg serve trace.bin --at start --listen 127.0.0.1:0
    tracedbg serve trace.bin --listen unix:/tmp/trace.sock --once
    gdb-multiarch kernel.elf -ex "target remote 127.0.0.1:1234"
"""

from collections.abc import Sequence
from pathlib import Path

import click

from tracedbg.cli.opened import open_trace, trace_argument
from tracedbg.cli.subcommand import subcommand

DEFAULT = "127.0.0.1:1234"


@subcommand(__doc__)
@trace_argument
@click.option(
    "--listen",
    default=DEFAULT,
    show_default=True,
    metavar="HOST:PORT|unix:PATH",
    help="Where gdb connects; port 0 is any free one.",
)
@click.option("--at", metavar="T", help="Where in time a gdb that connects finds itself.")
@click.option("--once", is_flag=True, help="End when the first gdb has left.")
def command(trace: Path, symbols: Sequence[Path], listen: str, at: str | None, once: bool) -> int:
    """Serves until Ctrl-C."""
    from tracedbg.gdb.kernel_answers import served_with_kernel
    from tracedbg.gdb.server import serve
    from tracedbg.gdb.transport import Listener, parse_address
    from tracedbg.session.session import last_moment

    address = parse_address(listen)
    with open_trace(trace, symbols) as opened:
        served = served_with_kernel(opened, last_moment(opened) if at is None else opened.position(at))
        served.dispatcher()
        reach = (
            "only this machine can connect"
            if address.is_loopback
            else "warning: whoever reaches this address can read all of the trace"
        )
        with Listener(address) as listener:
            try:
                click.echo(f"{reach}; Ctrl-C ends the server", err=True)
                click.echo(f"listening on {listener.address}")
                serve(served, listener, once=once)
            except KeyboardInterrupt:
                return 0
    return 0
