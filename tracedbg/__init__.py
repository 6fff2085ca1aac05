"""tracedbg: a trace-driven, post-mortem debugger for operating-system kernels under QEMU."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from tracedbg.session.trace import Trace
    from tracedbg.state import Given

__version__ = "0.1.0"

__all__ = ["__version__", "open"]


def open(path: "str | Path", *, symbols: "Iterable[Given]" = ()) -> "Trace":  # noqa: A001
    """Open a trace for any question: see tracedbg.session.trace.Trace and docs/api.md.

    ``symbols`` are ELF files beyond those that the trace carries; ``Trace.warnings`` tells of those that do
    not fit it. TraceFormatError when it is no trace or malformed, SymbolError for a bad ELF file.
    """
    from tracedbg.session.trace import Trace

    return Trace.open(path, symbols=symbols)
