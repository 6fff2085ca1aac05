"""What an instruction makes out of what, on any instruction set."""

from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

MEMORY = "memory"
"""Stands for the bytes at the instruction's address, as a target and as a source."""

PROGRAM_COUNTER = "pc"


class Operation(Enum):
    """What kind of work an instruction does."""

    CONSTANT = "constant"
    MOVE = "move"
    ARITHMETIC = "arithmetic"
    FLOAT = "floating point"
    LOAD = "load"
    STORE = "store"
    ATOMIC = "atomic"
    LOAD_RESERVED = "load reserved"
    STORE_CONDITIONAL = "store conditional"
    CONTROL = "control register"
    BRANCH = "branch"
    JUMP = "jump"
    CALL = "call"
    RETURN = "return"
    TRAP = "trap"
    TRAP_RETURN = "return from a trap"
    OTHER = "other"
    """It changes nothing that is recorded: a fence, a hint."""
    UNKNOWN = "unknown"
    """It may change anything."""


class Result(NamedTuple):
    """``target`` gets a value made of ``sources``; of none for one that the encoding and pc alone tell.

    Both are names of registers as the trace has them, or MEMORY; the target may be PROGRAM_COUNTER. Any
    other source is something that a trace does not follow, by a name that people know.
    """

    target: str
    sources: tuple[str, ...] = ()


class Address(NamedTuple):
    """The address that is loaded from or stored to: a register (None for zero) plus ``offset``."""

    base: str | None
    offset: int


@dataclass(frozen=True, slots=True)
class Dataflow:
    """What an instruction makes, all from what held before it; the register that is always zero is left out.

    What decides only whether an instruction traps, and the rounding mode, are not sources.
    """

    operation: Operation
    results: tuple[Result, ...] = ()
    address: Address | None = None

    def find(self, target: str) -> Result | None:
        """Return how ``target`` is made, None where it is left as it was or that is not known."""
        return next((result for result in self.results if result.target == target), None)


UNKNOWN = Dataflow(Operation.UNKNOWN)
OTHER = Dataflow(Operation.OTHER)
