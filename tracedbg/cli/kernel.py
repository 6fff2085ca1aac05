"""What subcommands that ask for the kernel's view have in common: opening it, with progress."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tracedbg.cli.opened import open_trace
from tracedbg.cli.progress import Progress

if TYPE_CHECKING:
    from tracedbg.kernel.view import KernelView


@contextmanager
def open_kernel(trace: Path, symbols: Sequence[Path], config: Path | None) -> "Iterator[KernelView]":
    """Opens a trace with its author's hints, and closes it; results are to be printed afterwards."""
    from tracedbg.kernel.hints import find_hints
    from tracedbg.kernel.view import KernelView

    with open_trace(trace, symbols) as opened, Progress() as progress:
        hints = find_hints(trace, config, opened.symbols)
        yield KernelView(
            opened, lambda done, of: progress.show(f"{done / max(of, 1):4.0%} of the trace"), hints
        )
