"""What tracedbg knows of instruction sets; nothing above this package may."""

from tracedbg.arch.base import (
    PC,
    PRIVILEGE,
    Architecture,
    DebuggerFeature,
    DebuggerLayout,
    DebuggerRegister,
    FrameLink,
    TrapKind,
    TrapRegisters,
    Use,
    UserCalls,
    Values,
    View,
)
from tracedbg.arch.dataflow import Address, Dataflow, Operation, Result
from tracedbg.arch.translation import AddressSpace, MappedPage, Walk, WalkLevel
from tracedbg.errors import UsageError

__all__ = [
    "Address", "AddressSpace", "Architecture", "Dataflow", "DebuggerFeature", "DebuggerLayout",
    "DebuggerRegister", "FrameLink", "MappedPage", "Operation", "PC", "PRIVILEGE", "Result", "TrapKind",
    "TrapRegisters", "Use", "UserCalls", "Values", "View", "Walk", "WalkLevel", "architecture",
]  # fmt: skip


def architecture(name: str) -> Architecture:
    """Return the instruction set that a trace names; UsageError for one that is not known."""
    from tracedbg.arch.riscv64.architecture import Riscv64

    if name != Riscv64.name:
        raise UsageError(f"architecture {name!r} is not known: only {Riscv64.name} is")
    return Riscv64()
