"""The shapes of data flow that full and compressed encodings share, by register numbers."""

from tracedbg.arch.dataflow import MEMORY, OTHER, PROGRAM_COUNTER, Address, Dataflow, Operation, Result
from tracedbg.arch.riscv64.registers import FLOAT, INTEGER

FLOAT_DIRTY = Result("mstatus", ("mstatus",))
"""What writes floating-point state notes that in mstatus.FS (privileged ISA 3.1.6.6)."""

_LINK_REGISTERS = (1, 5)


def computed(rd: int, *sources: int, copies: bool = False) -> Dataflow:
    """An integer register made of others; ``copies`` where the value is that of its one source."""
    if not rd:
        return OTHER
    names = tuple(INTEGER[number] for number in sources if number)
    operation = Operation.MOVE if copies else Operation.ARITHMETIC
    return Dataflow(operation if names else Operation.CONSTANT, (Result(INTEGER[rd], names),))


def load(target: str, base: int, offset: int) -> Dataflow:
    """A register filled from memory at a register plus an offset."""
    results: tuple[Result, ...] = () if target == "zero" else (Result(target, (MEMORY,)),)
    if target in FLOAT:
        results = (*results, FLOAT_DIRTY)
    return Dataflow(Operation.LOAD, results, _address(base, offset))


def store(source: str, base: int, offset: int) -> Dataflow:
    """Memory at a register plus an offset filled from a register."""
    sources = () if source == "zero" else (source,)
    return Dataflow(Operation.STORE, (Result(MEMORY, sources),), _address(base, offset))


def jump(rd: int, rs1: int | None) -> Dataflow:
    """A jump that leaves where it came from in ``rd``; ``rs1`` is None where the encoding tells the target.

    Calls and returns are told apart by their registers (unprivileged ISA 2.5.1, table 3).
    """
    link = (Result(INTEGER[rd]),) if rd else ()
    sources = (INTEGER[rs1],) if rs1 else ()
    if rd in _LINK_REGISTERS:
        operation = Operation.CALL
    else:
        operation = Operation.RETURN if rs1 in _LINK_REGISTERS else Operation.JUMP
    return Dataflow(operation, (*link, Result(PROGRAM_COUNTER, sources)))


def _address(base: int, offset: int) -> Address:
    return Address(INTEGER[base] if base else None, offset)
