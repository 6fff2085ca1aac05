"""gdb at the other end: a remote server over a trace, and gdb sessions that are scripted."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tracedbg.gdb.session import Session

__all__ = ["Session"]


def __getattr__(name: str) -> object:
    """Loads Session, and pygdbmi with it, only when it is asked for: a server needs neither."""
    if name != "Session":
        raise AttributeError(name)
    from tracedbg.gdb.session import Session

    return Session
