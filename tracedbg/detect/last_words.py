"""What a guest printed last, and what it should have printed."""

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


def missing_banners(view: KernelView) -> tuple[str, ...]:
    """Return the texts that the author's file expects on the console and that never came."""
    _, content = view.trace.store.console
    printed = content.tobytes()
    return tuple(banner for banner in view.hints.banners if banner.encode() not in printed)
