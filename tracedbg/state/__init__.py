"""Moments of a trace: registers, memory, translation, disassembly and call stack at any t."""

from tracedbg.state.address_spaces import Alias
from tracedbg.state.console import Console
from tracedbg.state.frame import FoundBy, Frame
from tracedbg.state.known import Gap, Known
from tracedbg.state.listing import CodeLine
from tracedbg.state.memory import Memory
from tracedbg.state.moment import Moment
from tracedbg.state.registers import Registers
from tracedbg.state.symbol_files import Given
from tracedbg.state.trace import Trace
from tracedbg.state.traps import Trap
from tracedbg.state.where import Piece
from tracedbg.state.writer import Origin

__all__ = [
    "Alias", "CodeLine", "Console", "FoundBy", "Frame", "Gap", "Given", "Known", "Memory", "Moment", "Origin",
    "Piece", "Registers", "Trace", "Trap",
]  # fmt: skip
