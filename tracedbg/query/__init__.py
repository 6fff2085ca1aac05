"""Searches over a trace, in both directions of time."""

from tracedbg.query.accesses import accesses, iter_accesses, last_read, last_write, next_read, next_write
from tracedbg.query.changing import changing
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
from tracedbg.query.pages import page_at
from tracedbg.query.positions import resolve
from tracedbg.query.register_writes import iter_register_writes, register_writes
from tracedbg.query.registers import registers_at
from tracedbg.query.rows import Access, Kind

__all__ = [
    "Access", "Executed", "Kind", "accesses", "changing", "executed_at", "executions", "hart_at",
    "iter_accesses", "iter_executions", "iter_register_writes", "last_execution", "last_of_hart", "last_read",
    "last_write", "memory_at", "next_execution", "next_of_hart", "next_read", "next_write", "page_at",
    "pc_at", "privilege_at", "register_writes", "registers_at", "resolve",
]  # fmt: skip
