"""An opened trace: what ran, decoded on demand through one bounded cache."""

from tracedbg.store.guest import Device, Ending, Guest, MemoryRange
from tracedbg.store.trace import Trace

__all__ = ["Device", "Ending", "Guest", "MemoryRange", "Trace"]
