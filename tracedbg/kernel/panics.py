"""Calls of functions whose names say that they end a kernel, and that never returned."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tracedbg.ids import Hart, Time
from tracedbg.kernel.contexts import Context
from tracedbg.kernel.history import StackHistory
from tracedbg.kernel.other_work import OtherWork
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query import executions, privilege_at
from tracedbg.state import Trace
from tracedbg.symbols import Symbol

NAMES = frozenset(
    "panic kpanic kernel_panic do_panic panic_fmt rust_begin_unwind begin_unwind begin_panic rust_panic "
    "abort __assert_fail __assert_func assert_failed __stack_chk_fail".split()
)
"""Last components of the names of such functions."""
CALLS_TRIED = 16
"""The last calls of one function that are looked at."""


@dataclass(frozen=True)
class PanicCall:
    """``function`` was entered at ``t`` and never left; ``went_on`` is when its hart came to other work."""

    t: Time
    hart: Hart
    function: str
    context: Context | None
    went_on: Time | None


def find_panics(
    trace: Trace, index: TraceIndex, history: StackHistory, other_work: OtherWork
) -> list[PanicCall]:
    """Return the calls in order of t; symbols are needed."""
    found = []
    for symbol in trace.symbols.functions():
        if _last_component(symbol.demangled) in NAMES:
            for t, hart in _iter_unreturned(trace, index, symbol):
                privilege = privilege_at(index.trace, t) or 0
                if privilege:
                    context = history.context_at(hart, t)
                    went_on = other_work.after(hart, t, privilege, context)
                    found.append(PanicCall(t, hart, symbol.demangled, context, went_on))
    return sorted(found, key=lambda call: call.t)


def _last_component(name: str) -> str:
    """Return ``panic`` for ``core::panicking::panic<T>``."""
    return re.sub(r"<[^<>]*>|\(.*\)$", "", name).rpartition("::")[2]


def _iter_unreturned(trace: Trace, index: TraceIndex, symbol: Symbol) -> Iterator[tuple[Time, Hart]]:
    rows = executions(index.trace, symbol.address)[-CALLS_TRIED:]
    for t, hart in zip(rows["t"].tolist(), rows["hart"].tolist(), strict=True):
        if not _returned(trace, index, Time(t), Hart(hart)):
            yield Time(t), Hart(hart)


def _returned(trace: Trace, index: TraceIndex, t: Time, hart: Hart) -> bool:
    """Say whether the caller of the function that is entered at ``t`` went on behind its call."""
    registers = trace.at(t, hart=hart).registers
    link, sp = registers.find(index.arch.return_address), registers.find(index.sp_name)
    track = index.track(index.sp_name)
    if link is None or sp is None or track is None:
        return False
    rows = trace.executions(link, between=(t, trace.end))[:CALLS_TRIED]
    return any(track.value_at(Hart(int(row["hart"])), Time(int(row["t"]))) == sp for row in rows)
