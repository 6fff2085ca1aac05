"""Bytes of the guest as instructions that people read."""

from tracedbg.disasm.disassembler import Disassembler
from tracedbg.disasm.instruction import Flow, Instruction

__all__ = ["Disassembler", "Flow", "Instruction"]
