"""Instructions around pc, with source lines and names, decoded from memory as it is at the moment."""

import re
from collections.abc import Iterator, Mapping, Sequence

from tracedbg.disasm import Instruction
from tracedbg.session.naming import Names, file_and_line
from tracedbg.session.snapshots import CodeKind, CodePanel, CodeRow
from tracedbg.state import CodeLine, Moment

_WORD = re.compile(r"[a-z][a-z0-9]*")


def code_panel(moment: Moment, names: Names, height: int) -> CodePanel:
    """Return ``height`` rows at most, with the current instruction in the upper half."""
    if moment.pc is None:
        end = CodeRow(CodeKind.UNKNOWN, None, "", "the trace ends here, and does not tell at which pc")
        return CodePanel("", (end,))
    lines = moment.disassembly(before=height, after=height)
    if not lines:
        row = CodeRow(CodeKind.UNKNOWN, moment.pc, f"{moment.pc:x}", "?? memory there is not known", "", True)
        return CodePanel(f"{moment.pc:x}", (row,))
    rows = list(_rows(lines, names, moment.registers))
    current = next((index for index, row in enumerate(rows) if row.is_current), 0)
    first = max(min(current - max(height // 2 - 1, 0), len(rows) - height), 0)
    return CodePanel(_title(names, moment.pc), tuple(rows[first : first + height]))


def _title(names: Names, pc: int) -> str:
    return " ".join(part for part in (names.symbol(pc) or f"{pc:x}", names.line(pc)) if part)


def _rows(lines: Sequence[CodeLine], names: Names, registers: Mapping[str, int | None]) -> Iterator[CodeRow]:
    place = ""
    for line in lines:
        instruction, address = line.instruction, line.instruction.address
        if line.symbol is not None and line.symbol.start == address:
            yield CodeRow(CodeKind.SYMBOL, address, "", f"{line.symbol.demangled}:")
        source = "" if line.source is None else file_and_line(line.source)
        if source and source != place:
            place = source
            yield CodeRow(CodeKind.SOURCE, address, place, (line.text or "").expandtabs(4))
        note = _target(instruction, names)
        if line.is_current:
            note = " ".join(part for part in (_operands(instruction, registers), note) if part)
        text = (f"{address:x}", instruction.text, note)
        yield CodeRow(CodeKind.INSTRUCTION, address, *text, line.is_current, line.executed)


def _target(instruction: Instruction, names: Names) -> str:
    return "" if instruction.target is None else names.symbol(instruction.target)


def _operands(instruction: Instruction, registers: Mapping[str, int | None]) -> str:
    """The values of the registers that an instruction names, in its order."""
    named = [name for name in dict.fromkeys(_WORD.findall(instruction.operands)) if name in registers]
    return " ".join(f"{name}={_hex(registers[name])}" for name in named if name != "zero")


def _hex(value: int | None) -> str:
    return "??" if value is None else f"{value:x}"
