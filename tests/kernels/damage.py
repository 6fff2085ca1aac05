"""Looks in a recording for what a kernel is said to do to itself."""

from dataclasses import dataclass

from tracedbg.query import Access
from tracedbg.state import Trace

INTERRUPT = 1 << 63
"""In a trap's cause."""


@dataclass(frozen=True)
class Place:
    """The kernel's own ``truth``: the stack as its sp has it, and the victim's physical range."""

    stack_base: int
    stack_top: int
    victim: int
    victim_size: int

    @property
    def range(self) -> tuple[int, int]:
        return self.victim, self.victim_size


def place_of(trace: Trace) -> Place:
    """Read ``truth`` (base/truth.h) at the end of a recording."""
    symbol = trace.symbols.find("truth")
    assert symbol is not None
    content = trace.at(trace.end - 1).memory.read_virtual(symbol.address, 32)
    assert content.is_complete
    words = [int.from_bytes(content.data[start : start + 8], "little") for start in range(0, 32, 8)]
    return Place(*words)


def function_of(trace: Trace, access: Access) -> str:
    """Return the (demangled) name of the function that made an access, "" for none."""
    pc = trace.pc_of(access)
    symbol = None if pc is None else trace.symbols.at(pc)
    return "" if symbol is None else symbol.demangled


def stores_to(trace: Trace, where: tuple[int, int], functions: tuple[str, ...]) -> list[Access]:
    """Return the stores to a physical range by any of the functions, in order of t."""
    stores = (Access.of(row) for row in trace.accesses(where, kind="store"))
    return [store for store in stores if function_of(trace, store) in functions]


def consumed(trace: Trace, where: tuple[int, int], store_times: set[int]) -> list[Access]:
    """Return the loads of what the stores at these times put into a physical range."""
    loads = (Access.of(row) for row in trace.accesses(where, kind="load"))
    return [load for load in loads if _writer_time(trace, load) in store_times]


def _writer_time(trace: Trace, load: Access) -> int | None:
    writer = trace.last_write((load.physical, load.size), load.t)
    return None if writer is None else writer.t


@dataclass(frozen=True)
class Trap:
    """A trap: the first moment in its handler, its cause, where it came, and the address that it says."""

    t: int
    cause: int
    pc: int
    address: int


def traps_of(trace: Trace) -> list[Trap]:
    """Return the traps of a recording, in order of t."""
    return [
        Trap(epoch.start + t, cause, pc, address)
        for epoch in map(trace.store.epoch, range(trace.store.epochs))
        for t, cause, pc, address in zip(
            *(getattr(epoch.traps, name).tolist() for name in ("t", "cause", "epc", "tval")), strict=True
        )
    ]


def last_exception(trace: Trace) -> Trap:
    """Return the newest trap of a recording that is no interrupt: a timer may run on behind the end."""
    return [trap for trap in traps_of(trace) if not trap.cause & INTERRUPT][-1]
