"""What every moment of a trace draws on."""

from dataclasses import dataclass
from functools import cached_property

from tracedbg.arch import Architecture
from tracedbg.disasm import Disassembler
from tracedbg.state.code import ExecutedCode
from tracedbg.store.trace import Trace
from tracedbg.symbols import SymbolTable


@dataclass(frozen=True)
class Recording:
    """An opened trace with its instruction set and its symbols; immutable, safe for several threads."""

    store: Trace
    arch: Architecture
    symbols: SymbolTable
    disassembler: Disassembler

    @cached_property
    def code(self) -> ExecutedCode:
        """All code that ran."""
        return ExecutedCode(self.store.blocks, self.disassembler)
