"""Show the machine at a moment: registers, code, and the call stack.

The state is that before the instruction at T runs. T is a number, end, end-1000, last-kernel, sys_futex,
sys_futex#3 or pc=0x80200000. What the trace does not know is shown as ??, and as null in JSON.

    tracedbg state trace.bin --at end-1000
    tracedbg state trace.bin --at sys_futex#3 --json
    tracedbg state trace.bin --at 120000 --hart 1
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.opened import line_text, open_trace, place_text, stack_grid, trace_argument
from tracedbg.cli.output import Column, Form, Grid, Kind, Report, json_option, show
from tracedbg.cli.subcommand import subcommand

if TYPE_CHECKING:
    from tracedbg.state import Moment, Trace

SUMMARY = (
    Column("t", Kind.NUMBER),
    Column("hart", Kind.NUMBER),
    Column("pc", Kind.ADDRESS),
    Column("symbol", Kind.TEXT),
    Column("line", Kind.TEXT),
    Column("privilege", Kind.TEXT),
    Column("satp", Kind.ADDRESS),
    Column("address_space", Kind.TEXT),
    Column("trap", Kind.TEXT),
)
REGISTERS = (Column("register", Kind.TEXT), Column("value", Kind.ADDRESS))
CODE = (
    Column("here", Kind.TEXT, " "),
    Column("address", Kind.ADDRESS),
    Column("symbol", Kind.TEXT),
    Column("bytes", Kind.BYTES),
    Column("instruction", Kind.TEXT),
    Column("line", Kind.TEXT),
    Column("source", Kind.TEXT),
)


@subcommand(__doc__)
@trace_argument
@click.option("--at", required=True, metavar="T", help="The moment.")
@click.option("--hart", type=int, help="Another hart than the one that runs at T.")
@json_option
def command(trace: Path, symbols: Sequence[Path], at: str, hart: int | None, as_json: bool) -> None:
    """Prints summary, registers, code and stack."""
    with open_trace(trace, symbols) as opened:
        show(report(opened, opened.at(at, hart=hart)), as_json)


def report(trace: "Trace", moment: "Moment") -> Report:
    """Everything that is shown of a moment."""
    return Report(
        {
            "": Form(SUMMARY, _summary(trace, moment)),
            **_registers(trace, moment),
            "code": Grid(CODE, _code(moment)),
            "stack": stack_grid(trace, moment.backtrace()),
        }
    )


def _registers(trace: "Trace", moment: "Moment") -> dict[str, Grid]:
    """The registers, and apart from them vector registers where the guest has such."""
    wide = trace.recording.arch.vector_registers
    scalars = [item for item in moment.registers.items() if item[0] not in wide]
    vectors = [item for item in moment.registers.items() if item[0] in wide]
    found = {"registers": Grid(REGISTERS, [*scalars, *moment.registers.views.items()])}
    return {**found, "vectors": Grid(REGISTERS, vectors)} if vectors else found


def _summary(trace: "Trace", moment: "Moment") -> tuple[str | int | None, ...]:
    arch, space, trap = trace.recording.arch, moment.address_space(), moment.trap
    pc, privilege = moment.pc, moment.privilege
    return (
        moment.t,
        moment.hart,
        pc,
        "" if pc is None else place_text(trace.symbols.at(pc)),
        "" if pc is None else line_text(trace.symbols.line_at(pc)),
        None if privilege is None else arch.privilege_name(privilege),
        moment.satp,
        None if space is None else space.mode,
        "" if trap is None else f"{arch.cause_name(trap.cause)}, from {trap.epc:#x}",
    )


def _code(moment: "Moment") -> list[tuple[str | int | bytes, ...]]:
    return [
        (
            ">" if line.is_current else "",
            line.instruction.address,
            place_text(line.symbol),
            line.instruction.data,
            line.instruction.text,
            line_text(line.source),
            (line.text or "").strip(),
        )
        for line in moment.disassembly()
    ]
