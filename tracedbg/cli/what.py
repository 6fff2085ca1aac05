"""Say what an address is: whose memory, which symbol or frame, and who wrote it last.

ADDRESS is a number or a symbol, with an optional +OFFSET. It is physical, or virtual with --virtual as the
hart that runs at T sees it; a symbol's is virtual. Of a physical frame it also lists whose it was, each owner
from the moment on from which it is known.

    tracedbg what trace.bin 0x80514e00 --at sys_futex#2
    tracedbg what trace.bin 0x40010e00 --virtual --at end-1000
    tracedbg what trace.bin run_queue+8 --json
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tracedbg.cli.kernel import open_kernel
from tracedbg.cli.opened import config_option, place_text, trace_argument
from tracedbg.cli.output import Cell, Column, Form, Grid, Kind, Report, json_option, show
from tracedbg.cli.subcommand import subcommand
from tracedbg.cli.who import write_form
from tracedbg.format.schema import PAGE_SIZE

if TYPE_CHECKING:
    from tracedbg.kernel.addresses import AddressAnswer
    from tracedbg.kernel.guards import Guard
    from tracedbg.kernel.user_pages import UserMapping

OWNERS = (Column("t", Kind.NUMBER), Column("owner", Kind.TEXT))
MAPPINGS = (
    Column("virtual", Kind.ADDRESS),
    Column("space", Kind.ADDRESS),
    Column("flags", Kind.TEXT),
    Column("used_at", Kind.NUMBER),
)


@subcommand(__doc__)
@trace_argument
@click.argument("address", metavar="ADDRESS")
@click.option("--at", default="end", show_default=True, metavar="T", help="The moment to look at.")
@click.option("--virtual", is_flag=True, help="ADDRESS is virtual, as translated at T.")
@config_option
@json_option
def command(
    trace: Path,
    symbols: Sequence[Path],
    address: str,
    at: str,
    virtual: bool,
    config: Path | None,
    as_json: bool,
) -> None:
    """Prints the answer."""
    from tracedbg.kernel.addresses import what_is
    from tracedbg.state.where import parse_range

    with open_kernel(trace, symbols, config) as view:
        opened = view.trace
        t = opened.position(at)
        found = parse_range(address, opened.symbols, virtual=virtual)
        if not found.is_virtual:
            opened.require_memory((found.address, 1), t)
        shown = report(what_is(view, found.address, t, virtual=found.is_virtual))
    show(shown, as_json)


def report(answer: "AddressAnswer") -> Report:
    """Everything that is known; what does not apply to the address is left out of the text."""
    cells = [cell for cell in _cells(answer) if cell[2] is not None or cell[0] in {"virtual", "physical"}]
    form = Form([Column(name, kind) for name, kind, _ in cells], [value for _, _, value in cells])
    parts: dict[str, Form | Grid] = {"": form}
    if answer.mappings:
        parts["user_mappings"] = Grid(MAPPINGS, [_mapping(answer, item) for item in answer.mappings])
    if answer.history:
        parts["owners"] = Grid(OWNERS, [(owner.t, owner.text) for owner in answer.history])
    if answer.last_write is not None:
        parts["last_write"] = write_form(answer.last_write)
    return Report(parts)


def _cells(answer: "AddressAnswer") -> list[tuple[str, Kind, Cell]]:
    stack, frame, guard = answer.stack, answer.frame, answer.guard
    guarded = None if guard is None else guard.text
    return [
        ("t", Kind.NUMBER, answer.t),
        ("virtual", Kind.ADDRESS, answer.virtual),
        ("physical", Kind.ADDRESS, answer.physical),
        ("problem", Kind.TEXT, answer.problem),
        ("owner", Kind.TEXT, guarded if answer.owner is None else answer.owner.text),
        ("guard", Kind.TEXT, None if answer.owner is None or answer.owner.guard else guarded),
        ("guard_known_by", Kind.TEXT, None if guard is None else guard.source.value),
        ("below_base", Kind.COUNT, None if guard is None else _below_base(answer, guard)),
        ("symbol", Kind.TEXT, place_text(answer.symbol) or None),
        ("stack", Kind.TEXT, None if stack is None else stack.text),
        ("below_top", Kind.COUNT, None if stack is None else stack.from_top),
        ("live", Kind.YES, None if stack is None else stack.is_live),
        ("task", Kind.TEXT, None if stack is None or stack.task is None else stack.task.text),
        ("function", Kind.TEXT, None if frame is None else frame.frame.function or ""),
        ("frame_offset", Kind.NUMBER, None if frame is None else frame.offset),
        ("frame_depth", Kind.NUMBER, None if frame is None else frame.depth),
    ]


def _below_base(answer: "AddressAnswer", guard: "Guard") -> int:
    offset = (answer.virtual or answer.physical or 0) % PAGE_SIZE
    return (guard.stack.base or 0) - guard.page - offset


def _mapping(answer: "AddressAnswer", mapping: "UserMapping") -> tuple[Cell, ...]:
    address = mapping.page if answer.physical is None else mapping.address_of(answer.physical)
    return address, mapping.space.root, "".join(mapping.walk.flags), mapping.touched
