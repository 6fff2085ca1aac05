"""Searches over a trace, in both directions of time."""

from tracedbg.query.accesses import (
    accesses,
    accesses_of,
    iter_accesses,
    last_read,
    last_write,
    next_read,
    next_write,
)
from tracedbg.query.changing import changing, iter_changing
from tracedbg.query.executions import executions, iter_executions, last_execution, next_execution
from tracedbg.query.last_instructions import last_chosen
from tracedbg.query.last_register_write import RegisterWrite, last_register_write
from tracedbg.query.last_writers import Written, last_writers
from tracedbg.query.leaving import next_outside
from tracedbg.query.memory import memory_at
from tracedbg.query.moments import (
    Executed,
    executed_at,
    hart_at,
    last_of_hart,
    next_of_hart,
    pc_at,
    privilege_at,
)
from tracedbg.query.own_instructions import iter_own, own_after, own_back, own_before
from tracedbg.query.pages import page_at
from tracedbg.query.positions import resolve
from tracedbg.query.register_writes import iter_register_writes, register_writes
from tracedbg.query.registers import registers_at
from tracedbg.query.results import has_retired
from tracedbg.query.rows import Access, Kind
from tracedbg.query.straight_code import straight_since
from tracedbg.query.wide_register_writes import wide_register_writes

__all__ = [
    "Access", "Executed", "Kind", "RegisterWrite", "Written", "accesses", "accesses_of", "changing",
    "executed_at", "executions", "hart_at", "has_retired", "iter_accesses", "iter_changing",
    "iter_executions", "iter_own", "iter_register_writes", "last_chosen", "last_execution", "last_of_hart",
    "last_read", "last_register_write", "last_write", "last_writers", "memory_at", "next_execution",
    "next_of_hart", "next_outside", "next_read", "next_write", "own_after", "own_back", "own_before",
    "page_at", "pc_at", "privilege_at", "register_writes", "registers_at", "resolve", "straight_since",
    "wide_register_writes",
]  # fmt: skip
