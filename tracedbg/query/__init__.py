"""Searches over a trace, in both directions of time."""

from tracedbg.query.accesses import accesses, iter_accesses, last_read, last_write, next_read, next_write
from tracedbg.query.executions import executions, iter_executions, last_execution, next_execution
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
from tracedbg.query.positions import resolve
from tracedbg.query.register_writes import iter_register_writes, register_writes
from tracedbg.query.registers import registers_at
from tracedbg.query.rows import Access, Kind
from tracedbg.query.wide_register_writes import wide_register_writes

__all__ = [
    "Access", "Executed", "Kind", "accesses", "executed_at", "executions", "hart_at", "iter_accesses",
    "iter_executions", "iter_register_writes", "last_execution", "last_of_hart", "last_read", "last_write",
    "memory_at", "next_execution", "next_of_hart", "next_read", "next_write", "pc_at", "privilege_at",
    "register_writes", "registers_at", "resolve", "wide_register_writes",
]  # fmt: skip
