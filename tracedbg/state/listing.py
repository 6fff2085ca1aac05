"""Disassembly around an address, with symbols and source lines."""

from collections.abc import Callable
from dataclasses import dataclass

from tracedbg.disasm import Instruction
from tracedbg.ids import VirtualAddress
from tracedbg.state.known import Known
from tracedbg.state.recording import Recording
from tracedbg.symbols import SourceLine, SymbolAt

LONGEST = 4
_NEAR = 1 << 14
"""Bytes from a symbol's start that are decoded to find where the instructions before an address begin."""

ReadCode = Callable[[VirtualAddress, int], Known]


@dataclass(frozen=True)
class CodeLine:
    """An instruction where it stands.

    ``text`` is the line of source as it is written, None where there is no line or the file is not to be
    had; ``is_current`` marks the instruction at the program counter, ``executed`` those that ran at some t.
    """

    instruction: Instruction
    symbol: SymbolAt | None
    source: SourceLine | None
    text: str | None
    is_current: bool
    executed: bool


@dataclass(frozen=True)
class Listing:
    """Decodes the code that ``read`` finds at virtual addresses, or what ran there if memory is unknown."""

    recording: Recording
    read: ReadCode

    def around(self, pc: VirtualAddress, before: int, after: int) -> tuple[CodeLine, ...]:
        """Return up to ``before`` instructions before pc, the one at pc, and up to ``after`` more."""
        found = [*self._before(pc, before), *self._from(pc, after + 1)]
        return tuple(self._line(instruction, pc) for instruction in found)

    def _from(self, address: VirtualAddress, count: int) -> list[Instruction]:
        found: list[Instruction] = []
        while len(found) < count:
            instruction = self._decode(address)
            if instruction is None:
                break
            found.append(instruction)
            address = VirtualAddress(address + instruction.length)
        return found

    def _decode(self, address: VirtualAddress) -> Instruction | None:
        if not 0 <= address < (1 << 64) - LONGEST:
            return None
        code = self.read(address, LONGEST)
        known = code.data[: code.mask.index(0)] if 0 in code.mask else code.data
        ran = self.recording.code.at(address)
        same = next((found for found in ran if found.data == known[: found.length]), None)
        if same is not None:
            return same
        if known:
            return self.recording.disassembler.decode(known, address)
        return ran[0] if ran else None

    def _before(self, pc: VirtualAddress, count: int) -> list[Instruction]:
        """Go back from one instruction that ran to the next; where none did, decode from the symbol on."""
        found: list[Instruction] = []
        address = pc
        while len(found) < count:
            previous = self._find_ran_before(address)
            if previous is None:
                return [*self._decoded_before(address, count - len(found)), *found]
            found.insert(0, previous)
            address = previous.address
        return found

    def _find_ran_before(self, address: int) -> Instruction | None:
        for ran in self.recording.code.ending_at(address):
            known = self.read(ran.address, ran.length)
            if not known.is_complete or known.data == ran.data:
                return ran
        return None

    def _decoded_before(self, address: VirtualAddress, count: int) -> list[Instruction]:
        symbol = self.recording.symbols.at(VirtualAddress(address - 1)) if address else None
        if symbol is None or address - symbol.start > _NEAR:
            return []
        found = self.read(symbol.start, address - symbol.start)
        if not found.is_complete:
            return []
        decoded = list(self.recording.disassembler.decode_all(found.data, symbol.start))
        return decoded[-count:] if decoded and decoded[-1].mnemonic != ".byte" else []

    def _line(self, instruction: Instruction, pc: int) -> CodeLine:
        symbols = self.recording.symbols
        source = symbols.line_at(instruction.address)
        lines = None if source is None else symbols.source(source.file)
        inside = source is not None and lines is not None and 0 < source.line <= len(lines)
        return CodeLine(
            instruction=instruction,
            symbol=symbols.at(instruction.address),
            source=source,
            text=lines[source.line - 1] if inside and source and lines else None,
            is_current=instruction.address == pc,
            executed=any(ran.data == instruction.data for ran in self.recording.code.at(instruction.address)),
        )
