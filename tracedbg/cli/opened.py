"""What every subcommand that asks a trace a question has in common: opening it, and showing call stacks."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from tracedbg.cli.output import Column, Grid, Kind

if TYPE_CHECKING:
    from tracedbg.query import Access
    from tracedbg.state import Frame, Trace
    from tracedbg.symbols import SourceLine, SymbolAt

Function = TypeVar("Function", bound=Callable[..., Any])

STACK = (
    Column("pc", Kind.ADDRESS),
    Column("sp", Kind.ADDRESS),
    Column("function", Kind.TEXT),
    Column("offset", Kind.NUMBER),
    Column("line", Kind.TEXT),
    Column("privilege", Kind.TEXT),
    Column("inlined", Kind.YES),
    Column("found_by", Kind.TEXT),
    Column("trap", Kind.TEXT),
)


symbols_option = click.option(
    "--symbols",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="ELF",
    help="An ELF file with names and lines, beyond those that the trace carries; may be given again.",
)
"""Adds ``--symbols``."""

config_option = click.option(
    "--config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="What only the kernel's author knows; tracedbg.toml beside the trace is read by itself.",
)
"""Adds ``--config``."""


def trace_argument(function: Function) -> Function:
    """Adds the trace's path and ``--symbols``."""
    argument = click.argument("trace", type=click.Path(path_type=Path))
    return argument(symbols_option(function))


def open_trace(path: Path, symbols: Sequence[Path]) -> "Trace":
    """Opens a trace; says on stderr what the file has lost and which symbols do not fit."""
    from tracedbg.state import Trace

    trace = Trace.open(path, symbols=symbols)
    for sentence in (*trace.store.losses, *trace.warnings):
        click.echo(f"warning: {sentence}", err=True)
    return trace


def place_text(symbol: "SymbolAt | None") -> str:
    """A symbol and the offset from its start; empty where there is none."""
    if symbol is None:
        return ""
    return f"{symbol.demangled}+{symbol.offset:#x}" if symbol.offset else symbol.demangled


def line_text(line: "SourceLine | None") -> str:
    """File and line; empty where the symbols tell of none."""
    return "" if line is None else f"{line.file}:{line.line}"


def kind_text(access: "Access") -> str:
    """``load``, ``store``, or what changed memory without an instruction."""
    name = access.kind.name if access.cause is None else access.cause.name
    return (name or "").lower().replace("_", " ")


def stack_grid(trace: "Trace", frames: "Sequence[Frame]") -> Grid:
    """A call stack, innermost frame first."""
    return Grid(STACK, [_row(trace, frame) for frame in frames])


def _row(trace: "Trace", frame: "Frame") -> tuple[Any, ...]:
    arch = trace.recording.arch
    return (
        frame.pc,
        frame.sp,
        frame.function or "",
        0 if frame.symbol is None else frame.symbol.offset,
        line_text(frame.line),
        arch.privilege_name(frame.privilege),
        frame.is_inlined,
        frame.found_by.value,
        "" if frame.trap is None else f"{arch.cause_name(frame.trap.cause)} at {frame.trap.t}",
    )
