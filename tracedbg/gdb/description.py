"""The target description: which registers there are, under QEMU's numbers (gdb manual, G)."""

from typing import Self
from xml.sax.saxutils import quoteattr

from tracedbg.arch import PC, PRIVILEGE, DebuggerFeature, DebuggerLayout, DebuggerRegister
from tracedbg.state import Trace
from tracedbg.state.registers import WORD_BITS, Registers, register_numbers

DOCUMENT = "target.xml"
_HEAD = '<?xml version="1.0"?><!DOCTYPE target SYSTEM "gdb-target.dtd">'


class Description:
    """A layout, cut to the registers that a trace holds."""

    @classmethod
    def of(cls, trace: Trace) -> Self:
        """Return the description of a trace's harts."""
        arch, names = trace.recording.arch, trace.store.guest.registers
        vector = register_numbers(arch, names).get(arch.vector_registers[0], [])
        recorded = Registers(arch, names, [None] * len(names))
        return cls(arch.debugger_layout(WORD_BITS * len(vector)), recorded)

    def __init__(self, layout: DebuggerLayout, recorded: Registers) -> None:
        self.layout = layout
        self._features = [(feature, _held(feature, recorded)) for feature in layout.features]
        self.registers = {
            register.number: register for _, registers in self._features for register in registers
        }

    @property
    def general(self) -> list[DebuggerRegister]:
        """The registers that are read all at once, in their order."""
        return [self.registers[number] for number in range(self.layout.general)]

    def xml(self) -> str:
        """Return target.xml.

        The operating system is said to be none: with another one gdb would step by breakpoints that it puts
        where it thinks that an instruction leads, which is wrong at a trap.
        """
        features = "".join(_feature(feature, registers) for feature, registers in self._features if registers)
        architecture = f"<architecture>{self.layout.architecture}</architecture>"
        return f"{_HEAD}<target>{architecture}<osabi>none</osabi>{features}</target>"


def _held(feature: DebuggerFeature, recorded: Registers) -> list[DebuggerRegister]:
    return [
        register
        for register in feature.registers
        if register.source in (PC, PRIVILEGE) or register.source in recorded
    ]


def _feature(feature: DebuggerFeature, registers: list[DebuggerRegister]) -> str:
    lines = "".join(
        f"<reg name={quoteattr(register.name)} bitsize={quoteattr(str(register.bits))} "
        f"type={quoteattr(register.type)} regnum={quoteattr(str(register.number))}/>"
        for register in registers
    )
    return f"<feature name={quoteattr(feature.name)}>{feature.types}{lines}</feature>"
