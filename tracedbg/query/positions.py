"""Positions as people write them: ``12345``, ``end-1000``, ``last-kernel``, ``sys_futex#3``."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from tracedbg.errors import PositionError
from tracedbg.ids import Epoch, Time, VirtualAddress
from tracedbg.numerals import DECIMAL, parse_number
from tracedbg.query.executions import iter_executions
from tracedbg.store.trace import Trace

MACHINE = 3

FindSymbol = Callable[[str], Sequence[VirtualAddress]]
"""Returns where a symbol's first instruction is linked and where else it ran, nothing for another text."""

VALID = (
    "a position is a number, end, end-N, start, last-kernel, pc=ADDRESS or a symbol, these two also with #N"
)


def resolve(trace: Trace, text: str, find_symbol: FindSymbol | None = None) -> Time:
    """Return the moment that ``text`` names.

    ``12345`` or ``12,345`` is that t; ``start`` and ``end`` are the trace's, ``end-1000`` lies before;
    ``last-kernel`` is the last instruction outside M-mode; ``pc=0x80200000`` and a symbol's name are the
    first time that the instruction there starts, with ``#3`` the third. Raises PositionError, which says
    what is valid.
    """
    text = text.strip()
    if re.fullmatch(DECIMAL, text):
        return _inside(trace, text, parse_number(text))
    if text == "start":
        return trace.start
    if text == "last-kernel":
        return _last_kernel(trace)
    match = re.fullmatch(rf"end(?:\s*-\s*({DECIMAL}))?", text)
    if match:
        return _inside(trace, text, trace.end - parse_number(match[1] or "0"))
    return _execution(trace, text, find_symbol)


def _inside(trace: Trace, text: str, t: int) -> Time:
    if not trace.start <= t <= trace.end:
        raise PositionError(f"{text}: no such moment; the trace goes from {trace.start} to {trace.end}")
    return Time(t)


def _last_kernel(trace: Trace) -> Time:
    blocks = np.flatnonzero(trace.blocks.privilege != MACHINE)
    candidates = trace.spans.candidates(0, trace.epochs, lambda span: span.executes(blocks), reverse=True)
    for index in candidates:
        epoch = trace.epoch(Epoch(index))
        starts = epoch.run_start
        outside = epoch.blocks.privilege[epoch.run_block] != MACHINE
        runs = np.flatnonzero(outside & (np.diff(starts) > 0))
        if len(runs):
            return Time(epoch.start + int(starts[runs[-1] + 1]) - 1)
    raise PositionError("last-kernel: nothing ran outside M-mode; name a t, or end")


def _execution(trace: Trace, text: str, find_symbol: FindSymbol | None) -> Time:
    match = re.fullmatch(r"(.+?)(?:#([0-9]+))?", text)
    if match is None:
        raise PositionError(f"an empty position names no moment; {VALID}")
    count = parse_number(match[2] or "1")
    if not count:
        raise PositionError(f"{text}: executions are counted from #1")
    places = _places(match[1], find_symbol)
    seen = 0
    for rows in iter_executions(trace, places):
        if seen + len(rows) >= count:
            return Time(int(rows["t"][count - seen - 1]))
        seen += len(rows)
    instruction = f"the instruction at {' or '.join(f'{place:#x}' for place in places)}"
    if not seen:
        raise PositionError(f"{text}: {instruction} never ran in this trace")
    raise PositionError(f"{text}: {instruction} ran only {seen} times")


def _places(text: str, find_symbol: FindSymbol | None) -> Sequence[VirtualAddress]:
    if text.startswith("pc="):
        try:
            address = parse_number(text[3:])
        except ValueError:
            address = -1
        if not 0 <= address < 1 << 64:
            raise PositionError(f"{text}: not an address; write it as pc=0x80200000")
        return [VirtualAddress(address)]
    found = [] if find_symbol is None else find_symbol(text)
    if not found:
        raise PositionError(f"{text}: neither a position nor a known symbol; {VALID}")
    return found
