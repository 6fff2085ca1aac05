"""Runs call frame instructions up to an address (DWARF 5, 6.4.2 and 6.4.3)."""

from tracedbg.ids import VirtualAddress
from tracedbg.symbols.frame_index import CommonInformation, FrameDescription
from tracedbg.symbols.model import (
    AtCfa,
    CfaRule,
    InRegister,
    RegisterRule,
    SameValue,
    Undefined,
    Unsupported,
    UnwindRow,
    ValueOfCfa,
)
from tracedbg.symbols.reader import Cursor, SectionData

Rules = dict[int, RegisterRule]
_ADVANCES = {0x02: 1, 0x03: 2, 0x04: 4}
_NO_CFA = Unsupported("no rule for the CFA")
_CFA_OPCODES = (0x0C, 0x0D, 0x0E, 0x0F, 0x12, 0x13)


class _RowMachine:
    """The rules at a location that only grows; stops before it would pass the address asked for."""

    def __init__(self, section: SectionData, description: FrameDescription, address: int) -> None:
        self.section = section
        self.common: CommonInformation = description.common
        self.address = address
        self.start = description.start
        self.end = description.end
        self.cfa: CfaRule | Unsupported = _NO_CFA
        self.rules: Rules = {}
        self._initial: Rules = {}
        self._saved: list[tuple[CfaRule | Unsupported, Rules]] = []

    def run(self, instructions: tuple[int, int]) -> None:
        """The instructions of a CIE or an FDE."""
        cursor = Cursor(self.section, *instructions)
        while cursor.offset < cursor.end:
            opcode = cursor.unsigned(1)
            target = self._advance_target(cursor, opcode)
            if target is None:
                self._step(cursor, opcode)
            elif target > self.address:
                self.end = min(self.end, target)
                return
            else:
                self.start = target

    def keep_initial(self) -> None:
        """The CIE's rules are those that DW_CFA_restore goes back to."""
        self._initial = dict(self.rules)

    def _advance_target(self, cursor: Cursor, opcode: int) -> int | None:
        if opcode >> 6 == 1:
            return self.start + (opcode & 0x3F) * self.common.code_alignment
        if opcode in _ADVANCES:
            return self.start + cursor.unsigned(_ADVANCES[opcode]) * self.common.code_alignment
        return cursor.unsigned(self.common.address_size) if opcode == 0x01 else None

    def _step(self, cursor: Cursor, opcode: int) -> None:
        if opcode >> 6 == 2:
            self.rules[opcode & 0x3F] = AtCfa(cursor.uleb() * self.common.data_alignment)
        elif opcode >> 6 == 3:
            self._restore(opcode & 0x3F)
        elif opcode in _CFA_OPCODES:
            self._define_cfa(cursor, opcode)
        elif opcode == 0x0A:
            self._saved.append((self.cfa, dict(self.rules)))
        elif opcode == 0x0B:
            if not self._saved:
                self.section.fail(cursor.offset - 1, "DW_CFA_restore_state without a state")
            self.cfa, self.rules = self._saved.pop()
        elif opcode == 0x2E:
            cursor.uleb()
        elif opcode != 0:
            self._set_rule(cursor, opcode)

    def _restore(self, register: int) -> None:
        if register in self._initial:
            self.rules[register] = self._initial[register]
        else:
            self.rules.pop(register, None)

    def _define_cfa(self, cursor: Cursor, opcode: int) -> None:
        if opcode == 0x0F:
            cursor.skip(cursor.uleb())
            self.cfa = Unsupported("the CFA is an expression")
        elif opcode == 0x0C:
            self.cfa = CfaRule(cursor.uleb(), cursor.uleb())
        elif opcode == 0x12:
            self.cfa = CfaRule(cursor.uleb(), cursor.sleb() * self.common.data_alignment)
        else:
            self._change_cfa(cursor, opcode)

    def _change_cfa(self, cursor: Cursor, opcode: int) -> None:
        operand = cursor.sleb() * self.common.data_alignment if opcode == 0x13 else cursor.uleb()
        if self.cfa == _NO_CFA:
            # gas for RISC-V begins with DW_CFA_def_cfa_register alone and means offset 0.
            self.cfa = CfaRule(0, 0)
        if not isinstance(self.cfa, CfaRule):
            self.section.fail(cursor.offset, "half of a CFA is changed that is an expression")
        if opcode == 0x0D:
            self.cfa = CfaRule(operand, self.cfa.offset)
        else:
            self.cfa = CfaRule(self.cfa.register, operand)

    def _set_rule(self, cursor: Cursor, opcode: int) -> None:
        scale = self.common.data_alignment
        start, register = cursor.offset - 1, cursor.uleb()
        match opcode:
            case 0x05:
                self.rules[register] = AtCfa(cursor.uleb() * scale)
            case 0x06:
                self._restore(register)
            case 0x07:
                self.rules[register] = Undefined()
            case 0x08:
                self.rules[register] = SameValue()
            case 0x09:
                self.rules[register] = InRegister(cursor.uleb())
            case 0x10 | 0x16:
                cursor.skip(cursor.uleb())
                self.rules[register] = Unsupported("the register's rule is an expression")
            case 0x11:
                self.rules[register] = AtCfa(cursor.sleb() * scale)
            case 0x14:
                self.rules[register] = ValueOfCfa(cursor.uleb() * scale)
            case 0x15:
                self.rules[register] = ValueOfCfa(cursor.sleb() * scale)
            case _:
                self.section.fail(start, f"call frame instruction {opcode:#x} is not known")


def unwind_row(section: SectionData, description: FrameDescription, address: int) -> UnwindRow:
    """The row for ``address``, which ``description`` covers; addresses as linked."""
    common = description.common
    machine = _RowMachine(section, description, address)
    if common.unknown_augmentation:
        machine.cfa = Unsupported(f"augmentation {common.unknown_augmentation!r}")
    else:
        machine.run(common.instructions)
        machine.keep_initial()
        machine.run(description.instructions)
    return UnwindRow(
        start=VirtualAddress(machine.start),
        end=VirtualAddress(machine.end),
        cfa=machine.cfa,
        return_address_register=common.return_address_register,
        rules=machine.rules,
        signal_frame=common.signal_frame,
        source=section.name,
    )
