"""Which functions named after a system call are reached from which call."""

import re
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from tracedbg.ids import Epoch
from tracedbg.kernel.system_calls import SystemCalls
from tracedbg.kernel.trace_index import TraceIndex
from tracedbg.query.rows import Rows
from tracedbg.store.source import Integers
from tracedbg.symbols import SymbolTable

_HANDLER = re.compile(r"(?:__[a-z0-9]+_)?(?:compat_)?k?sys_(?P<name>[a-z][a-z0-9_]*)")
NEVER_REACHED = 1 << 62

ENTRY = np.dtype([("t", "<i8"), ("hart", "<u2"), ("function", "<i4")])
"""A function was entered."""


class Handler(NamedTuple):
    """A function that is called after the system call ``name``."""

    address: int
    symbol: str
    name: str


class Reached(NamedTuple):
    """All calls of a number that reach a handler reach ``handler``, ``calls`` of them."""

    handler: Handler
    calls: int


@dataclass(frozen=True)
class SymbolCalls:
    """What the names of functions tell: by number the one handler that its calls reach.

    ``conflicts`` are the numbers whose calls reach handlers of different names.
    """

    reached: dict[int, Reached]
    conflicts: frozenset[int]


def handlers(symbols: SymbolTable) -> list[Handler]:
    """Return the functions that are named after system calls."""
    found = []
    for symbol in symbols.functions():
        last = re.split(r"::|\.", re.sub(r"::h[0-9a-f]{16}$", "", symbol.demangled))
        # A compiler's clones have a suffix behind a dot; a Rust path ends in the name itself.
        name = next((part for part in reversed(last) if _HANDLER.fullmatch(part)), None)
        match = None if name is None else _HANDLER.fullmatch(name)
        if match is not None and name is not None:
            found.append(Handler(symbol.address, name, match["name"]))
    return found


def symbol_calls(index: TraceIndex, calls: SystemCalls, symbols: SymbolTable) -> SymbolCalls:
    """Return which number is which call, by the first such function that runs on the call's hart."""
    known = handlers(symbols)
    if not known or not len(calls):
        return SymbolCalls({}, frozenset())
    entries = _entries(index, calls, known)
    rows, functions = _first_reached(index, calls, entries)
    found: dict[int, dict[str, list[Handler]]] = {}
    for number, function in zip(calls.rows["number"][rows].tolist(), functions.tolist(), strict=True):
        handler = known[function]
        found.setdefault(number, {}).setdefault(handler.name, []).append(handler)
    agreed = {number: next(iter(names.values())) for number, names in found.items() if len(names) == 1}
    return SymbolCalls(
        reached={number: Reached(one[0], len(one)) for number, one in agreed.items()},
        conflicts=frozenset(found) - frozenset(agreed),
    )


def _entries(index: TraceIndex, calls: SystemCalls, known: list[Handler]) -> Rows:
    """Return the entries of handlers in the epochs of calls and the ones behind, in order of t."""
    blocks = index.trace.blocks
    addresses = np.array([handler.address for handler in known], np.uint64)
    order = np.argsort(addresses, kind="stable")
    place = np.minimum(np.searchsorted(addresses[order], blocks.virtual), len(known) - 1)
    hit = (addresses[order][place] == blocks.virtual) & (blocks.privilege != 0)
    function_of = np.where(hit, order[place], -1)
    epochs = np.searchsorted(index.trace.epoch_starts, calls.rows["t"].astype(np.uint64), "right") - 1
    wanted = np.unique(np.concatenate([epochs, epochs + 1]))
    parts = [
        _entries_of(index, Epoch(number), function_of)
        for number in wanted[wanted < index.trace.epochs].tolist()
    ]
    return np.concatenate([np.empty(0, ENTRY), *parts])


def _entries_of(index: TraceIndex, number: Epoch, function_of: Integers) -> Rows:
    epoch = index.trace.epoch(number)
    runs = np.flatnonzero(function_of[epoch.run_block] >= 0)
    runs = runs[np.diff(epoch.run_start)[runs] > 0]
    rows = np.empty(len(runs), ENTRY)
    rows["t"] = epoch.run_start[runs] + epoch.start
    rows["hart"] = epoch.hart_of_runs(runs)
    rows["function"] = function_of[epoch.run_block[runs]]
    return rows


def _first_reached(index: TraceIndex, calls: SystemCalls, entries: Rows) -> tuple[Integers, Integers]:
    """Return the calls during which a handler was entered, and the first one that was."""
    rows, functions = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    user_traps = index.traps[index.traps["source"] == 0]
    for hart in range(index.trace.guest.harts):
        own = np.flatnonzero((calls.rows["hart"] == hart) & calls.rows["number_known"])
        times = entries["t"][entries["hart"] == hart]
        function = entries["function"][entries["hart"] == hart]
        traps = user_traps["t"][user_traps["hart"] == hart]
        begun = calls.rows["t"][own]
        first = np.searchsorted(times, begun)
        found = np.append(times, NEVER_REACHED)[first]
        # What comes behind another trap from user mode was called by somebody else.
        following = np.append(traps, NEVER_REACHED)[np.searchsorted(traps, begun, "right")]
        hit = found < following
        rows.append(own[hit])
        functions.append(function[first[hit]].astype(np.int64))
    return np.concatenate(rows), np.concatenate(functions)
