"""A real gdb on a trace."""

from collections.abc import Iterator
from contextlib import contextmanager

from tracedbg.gdb.hosting import hosted
from tracedbg.gdb.launch import find_gdb
from tracedbg.gdb.log import Log
from tracedbg.gdb.mi import MachineInterface
from tracedbg.gdb.server import Served
from tracedbg.gdb.session import Session
from tracedbg.ids import Time
from tracedbg.state import Trace


@contextmanager
def session_on(trace: Trace, t: int) -> Iterator[Session]:
    """gdb with the symbols that the trace carries, at moment t."""
    gdb = find_gdb(trace.recording.arch.debugger_layout().architecture)
    with hosted(Served(trace, Time(t)), ()) as target, MachineInterface(gdb, ()) as driver:
        for line in (*target.commands, target.connect):
            driver.console(line)
        yield Session(driver, Log())
