"""A gdb remote server over a trace: one connection after another, each from the same moment on."""

from collections.abc import Sequence
from dataclasses import dataclass

from tracedbg.gdb.conversation import Conversation
from tracedbg.gdb.dispatch import Dispatcher, HartNote
from tracedbg.gdb.execution import Execution
from tracedbg.gdb.monitor import BUILT_IN, Monitor, MonitorCommand
from tracedbg.gdb.transport import Listener
from tracedbg.ids import Time
from tracedbg.state import Trace


@dataclass(frozen=True)
class Served:
    """What is served: a trace, from moment ``t`` on.

    ``commands`` are those after ``monitor``, ``notes`` say of each hart what ``info threads`` is to tell.
    """

    trace: Trace
    t: Time
    commands: Sequence[MonitorCommand] = BUILT_IN
    notes: Sequence[HartNote] = ()

    def dispatcher(self) -> Dispatcher:
        """Return a dispatcher for a new connection; UsageError for a trace in which nothing ran."""
        return Dispatcher(Execution(self.trace, self.t), Monitor(self.commands), self.notes)


def serve(served: Served, listener: Listener, *, once: bool = False) -> None:
    """Serve until the listener is stopped, or ``once`` only the first client.

    Who connects and hangs up without a word only wanted to know whether a server is there.
    """
    while (connection := listener.accept()) is not None:
        with connection:
            was_met = Conversation(connection, served.dispatcher()).run()
        if once and was_met:
            return
