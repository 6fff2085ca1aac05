"""What a guest printed last."""

from tracedbg.detect.finding import Evidence
from tracedbg.ids import Time
from tracedbg.kernel.view import KernelView

LINES = 5


def console_tail(view: KernelView, since: Time) -> tuple[Evidence, ...]:
    """Return the last lines of the console, none of them empty, and of those that end after ``since``."""
    lines = [line for line in view.index.console_lines if line.content.strip() and line.end >= since]
    return tuple(
        Evidence(line.t, "console", line.content.decode("utf-8", "backslashreplace"))
        for line in lines[-LINES:]
    )
