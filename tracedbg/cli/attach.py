"""Make a trace of a guest that runs already, through the gdbstub of any QEMU.

The guest is stopped, looked at, let run to breakpoints and watchpoints, and stepped; then it runs on. Every
stop is a moment of the trace: all registers of every vCPU, the stacks, and the memory asked for with the
page tables that lead there. What was not seen reads as ?? afterwards.

    qemu-system-riscv64 ... -gdb tcp::1234        # or -s; or: -gdb unix:/tmp/gdb.sock,server=on,wait=off
    tracedbg attach localhost:1234 --symbols kernel.elf
    tracedbg attach unix:/tmp/gdb.sock --symbols kernel.elf --break sys_futex --stops 5
    tracedbg attach :1234 --symbols kernel.elf --break sys_futex --watch 0x40010e00:16 --for 10
    tracedbg attach :1234 --symbols kernel.elf --break trap_entry --stops 1 --step 1000 --until "pc==panic"

--watch follows the bytes at a user's or kernel's virtual address to their physical place, and stops at stores
there through any mapping of it. --until takes REGISTER or *ADDRESS:SIZE, a comparison, and a value.
"""

import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from tracedbg.cli.opened import line_text, place_text
from tracedbg.cli.output import Column, Form, Grid, Kind, Report, json_option, show, size_text
from tracedbg.cli.subcommand import subcommand
from tracedbg.ids import VirtualAddress

if TYPE_CHECKING:
    from tracedbg.gdb.capture.plan import Stop
    from tracedbg.gdb.capture.session import CaptureSession, Result
    from tracedbg.gdb.capture.survey import Found

STOP = (
    Column("stop", Kind.NUMBER),
    Column("t", Kind.NUMBER),
    Column("hart", Kind.NUMBER),
    Column("reason", Kind.TEXT),
    Column("address", Kind.ADDRESS),
    Column("pc", Kind.ADDRESS),
    Column("symbol", Kind.TEXT),
    Column("line", Kind.TEXT),
    Column("privilege", Kind.TEXT),
    Column("stores", Kind.ADDRESS),
    Column("stores_at", Kind.ADDRESS, "at virtual"),
    Column("stores_at_physical", Kind.ADDRESS, "at physical"),
    Column("steps", Kind.COUNT),
)
PLACES = (
    Column("what", Kind.TEXT),
    Column("virtual", Kind.ADDRESS),
    Column("physical", Kind.ADDRESS),
    Column("from_stack", Kind.TEXT),
    Column("flags", Kind.TEXT),
    Column("bytes", Kind.BYTES),
)
TABLES = (
    Column("of", Kind.ADDRESS),
    Column("level", Kind.NUMBER),
    Column("entry_at", Kind.ADDRESS),
    Column("entry", Kind.ADDRESS),
    Column("flags", Kind.TEXT),
)
SHOWN_BYTES = 16
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@subcommand(__doc__)
@click.argument("address", metavar="HOST:PORT|unix:PATH")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("capture.bin"),
              show_default=True, help="Where the trace goes.")  # fmt: skip
@click.option("--force", is_flag=True, help="Replace a trace that exists.")
@click.option("--symbols", multiple=True, type=click.Path(exists=True, dir_okay=False, path_type=Path),
              metavar="ELF", help="ELF file with symbols of the guest; may be repeated.")  # fmt: skip
@click.option("--break", "breaks", multiple=True, metavar="SYMBOL|ADDRESS",
              help="Stop before this instruction; may be repeated.")  # fmt: skip
@click.option("--watch", "watches", multiple=True, metavar="ADDRESS:SIZE",
              help="Stop after a store to the physical place of these; may be repeated.")  # fmt: skip
@click.option("--memory", multiple=True, metavar="ADDRESS:SIZE",
              help="Read this virtual range at each stop; may be repeated.")  # fmt: skip
@click.option("--step", "steps", type=click.IntRange(min=1), metavar="N",
              help="Take N single steps after each stop.")  # fmt: skip
@click.option("--stops", type=click.IntRange(min=1), metavar="N", help="End after N stops.")
@click.option("--for", "seconds", type=click.FloatRange(min=0), metavar="SECONDS", help="End after so long.")
@click.option("--until", metavar="CONDITION", help="End when a register or memory compares so.")
@click.option("--step-irqs", is_flag=True, help="Let interrupts and timers go on while the guest is stepped.")
@json_option
def command(
    address: str, output: Path, force: bool, symbols: tuple[Path, ...], breaks: tuple[str, ...],
    watches: tuple[str, ...], memory: tuple[str, ...], steps: int | None, stops: int | None,
    seconds: float | None, until: str | None, step_irqs: bool, as_json: bool,
) -> None:  # fmt: skip
    """Captures, and prints what each stop showed."""
    from tracedbg.gdb.capture.session import CaptureSession, Request
    from tracedbg.gdb.transport import parse_address

    request = Request(breaks, watches, memory, steps or 0, stops, seconds, until, step_irqs)
    session = CaptureSession(parse_address(address), symbols, request)
    if not (as_json or request.is_planned) and sys.stdin.isatty() and sys.stdout.isatty():
        _show_screen(session, output, force=force)
        return
    shown: list[Report] = []
    tell = shown.append if as_json else _print
    click.echo(f"tracedbg: attached; while it is stepped, {session.mask}", err=True)
    noted = [f"while it was stepped, {session.mask}"]

    def show_stop(stop: "Stop") -> None:
        tell(report(session, stop))
        noted.extend(stop.notes)
        for note in stop.notes:
            click.echo(f"tracedbg: {note}", err=True)

    with _ended_by_signals(session.stop_soon):
        result = session.run(output, show_stop, force=force)
    if as_json:
        import json

        stops_shown = [each.json() for each in shown]
        click.echo(json.dumps({"trace": str(output), "end": result.end, "ended_by": result.how,
                               "notes": list(result.notes), "stops": stops_shown}, indent=2))  # fmt: skip
    for note in result.notes:
        if note not in noted:
            click.echo(f"tracedbg: {note}", err=True)
    click.echo(f"tracedbg: {sentence(output, result)}", err=True)


def _show_screen(session: "CaptureSession", path: Path, *, force: bool) -> None:
    """Shows the replay screen over the capture until it is left; the guest then runs on."""
    from tracedbg.gdb.capture.live import CapturedGuest
    from tracedbg.session import Session
    from tracedbg.tui.live import LiveApp

    with session.opened(path, force=force) as (_, capture):
        guest = CapturedGuest(session, capture, path)
        try:
            first = guest.snapshot()
            greeting = "; ".join([f"attached; while it is stepped, {session.mask}", *guest.notes])
            LiveApp(Session(first, at=first.end), guest, greeting).run()
        finally:
            guest.close()
    click.echo(f"tracedbg: {path}: open it again with `tracedbg replay {path}`", err=True)


def sentence(path: Path, result: "Result") -> str:
    """What was captured, in one line."""
    how = {"detach": "detached, and the guest runs on", "qemu-gone": "QEMU has ended"}.get(
        result.how, result.how
    )
    return f"{path}: {result.stops} stops, {result.end:,} instructions, {size_text(result.size)}; {how}"


def _print(found: Report) -> None:
    show(found, as_json=False)
    click.echo()


def report(session: "CaptureSession", stop: "Stop") -> Report:
    """What a stop showed: where it is, where stacks and data lie, and the page tables on the way."""
    cells = _cells(session, stop)
    columns = [column for column in STOP if cells[column.name] is not None]
    ranges = [found for found in stop.ranges if found.walk is not None]
    tables = [
        (found.wanted.virtual, level.level, level.address, level.value,
         " ".join(level.flags))
        for found in ranges if found.walk is not None for level in found.walk.levels
    ]  # fmt: skip
    parts: dict[str, Form | Grid] = {
        "": Form(columns, [cells[column.name] for column in columns]),
        "memory": Grid(PLACES, [*_stacks(session, stop), *(_place(stop, found) for found in stop.ranges)]),
    }
    if tables:
        parts["page_tables"] = Grid(TABLES, tables)
    return Report(parts)


def _cells(session: "CaptureSession", stop: "Stop") -> dict[str, Any]:
    symbols, store, pc = session.symbols, stop.store, VirtualAddress(stop.state.pc)
    return {
        "stop": stop.number,
        "t": stop.t,
        "hart": stop.hart,
        "reason": stop.reason.name.lower(),
        "address": stop.address,
        "pc": pc,
        "symbol": place_text(symbols.at(pc)),
        "line": line_text(symbols.line_at(pc)),
        "privilege": session.guest.arch.privilege_name(stop.state.privilege),
        "stores": None if store is None else store.value,
        "stores_at": None if store is None else store.virtual,
        "stores_at_physical": None if store is None else store.physical,
        "steps": stop.steps or None,
    }


def _stacks(session: "CaptureSession", stop: "Stop") -> Iterator[Sequence[Any]]:
    for stack in stop.stacks:
        privilege = session.guest.arch.privilege_name(session.guest.harts[stack.hart].privilege)
        yield f"{privilege} stack of hart {stack.hart}", stack.pointer, stack.physical, "", "", b""


def _place(stop: "Stop", found: "Found") -> Sequence[Any]:
    physical = None if found.walk is None else found.walk.physical
    pointer = next((stack.physical for stack in stop.stacks if stack.hart == stop.hart), None)
    apart = "" if physical is None or pointer is None else f"{physical - pointer:+#x}"
    owner = "user data" if found.is_user else "data"
    elsewhere = "" if found.in_force else ", in the address space seen last"
    flags = "" if found.walk is None else " ".join(found.walk.flags)
    shown = None if found.content is None else found.content[:SHOWN_BYTES]
    return f"{owner} {found.wanted.name}{elsewhere}", found.wanted.virtual, physical, apart, flags, shown


@contextmanager
def _ended_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Ends the capture instead of the program."""

    def handle(_number: int, _frame: FrameType | None) -> None:
        stop()

    before = {number: signal.signal(number, handle) for number in ENDING}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
