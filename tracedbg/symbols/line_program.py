"""Runs a line number program into columns (DWARF 5, 6.2.2 and 6.2.5)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from tracedbg.symbols.line_header import LineHeader
from tracedbg.symbols.reader import Cursor

_COPY, _ADVANCE_PC, _ADVANCE_LINE, _SET_FILE, _SET_COLUMN, _NEGATE_STATEMENT = range(1, 7)
_CONST_ADD_PC, _FIXED_ADVANCE_PC = 8, 9
_END_SEQUENCE, _SET_ADDRESS = 1, 2
_ADDRESS_MASK = (1 << 64) - 1
_NUMBER_MASK = (1 << 31) - 1

Row = tuple[int, int, int, bool, bool]


@dataclass(frozen=True, slots=True)
class LineRows:
    """Rows by address, one column each. Row i covers [address[i], address[i + 1]) unless ``ends[i]``."""

    address: npt.NDArray[np.uint64]
    file: npt.NDArray[np.int32]
    line: npt.NDArray[np.int32]
    column: npt.NDArray[np.int32]
    statement: npt.NDArray[np.bool_]
    ends: npt.NDArray[np.bool_]

    def find(self, address: int) -> int | None:
        """The row that covers ``address``."""
        index = int(np.searchsorted(self.address, np.uint64(address), side="right")) - 1
        return None if index < 0 or bool(self.ends[index]) else index


class _Machine:
    """The registers of the line number program, and the rows so far."""

    def __init__(self, header: LineHeader) -> None:
        self.header = header
        self.cursor = Cursor(header.section, header.start, header.end)
        self.addresses: list[int] = []
        self.rows: list[Row] = []
        self._reset()

    def _reset(self) -> None:
        self.address, self.file, self.line, self.column = 0, 1, 1, 0
        self.statement = self.header.default_is_statement

    def _emit(self, ends: bool = False) -> None:
        self.addresses.append(self.address & _ADDRESS_MASK)
        self.rows.append((self.file, self.line, self.column, self.statement, ends))

    def run(self) -> None:
        """Every opcode up to the end of the program."""
        header, cursor = self.header, self.cursor
        data, end = cursor.data, header.end
        add_address, add_row = self.addresses.append, self.rows.append
        opcode_base = len(header.operand_counts) + 1
        steps = [
            (header.minimum_length * (code // header.line_range), header.line_base + code % header.line_range)
            for code in range(256 - opcode_base)
        ]
        mask = _ADDRESS_MASK
        while cursor.offset < end:
            opcode = data[cursor.offset]
            cursor.offset += 1
            if opcode >= opcode_base:
                step = steps[opcode - opcode_base]
                self.address += step[0]
                self.line += step[1]
                add_address(self.address & mask)
                add_row((self.file, self.line, self.column, self.statement, False))
            elif opcode == 0:
                self._extended()
            else:
                self._standard(opcode)

    def _standard(self, opcode: int) -> None:
        cursor, header = self.cursor, self.header
        # The most frequent first.
        if opcode == _SET_COLUMN:
            self.column = cursor.uleb() & _NUMBER_MASK
        elif opcode == _NEGATE_STATEMENT:
            self.statement = not self.statement
        elif opcode == _ADVANCE_LINE:
            self.line = (self.line + cursor.sleb()) & _NUMBER_MASK
        elif opcode == _COPY:
            self._emit()
        elif opcode == _SET_FILE:
            self.file = cursor.uleb() & _NUMBER_MASK
        elif opcode == _ADVANCE_PC:
            self.address += cursor.uleb() * header.minimum_length
        elif opcode == _CONST_ADD_PC:
            code = 254 - len(header.operand_counts)
            self.address += header.minimum_length * (code // header.line_range)
        elif opcode == _FIXED_ADVANCE_PC:
            self.address += cursor.unsigned(2)
        else:
            for _ in range(header.operand_counts[opcode - 1]):
                cursor.uleb()

    def _extended(self) -> None:
        cursor = self.cursor
        size = cursor.uleb()
        start = cursor.offset
        cursor.skip(size)
        after = cursor.offset
        if size == 0:
            return
        cursor.offset = start
        opcode = cursor.unsigned(1)
        if opcode == _END_SEQUENCE:
            self._emit(ends=True)
            self._reset()
        elif opcode == _SET_ADDRESS:
            self.address = cursor.unsigned(size - 1)
        cursor.offset = after


def run_line_program(header: LineHeader) -> LineRows:
    """All rows of a program, sorted by address; a sequence that ends comes before one that begins there.

    Rows after the last end_sequence are dropped, for nothing tells where they end.
    """
    machine = _Machine(header)
    machine.run()
    count = len(machine.rows)
    while count and not machine.rows[count - 1][4]:
        count -= 1
    return _columns(machine.addresses[:count], machine.rows[:count])


def _columns(addresses: list[int], rows: list[Row]) -> LineRows:
    address = np.array(addresses, np.uint64)
    # A broken program can push the line a little beyond 31 bits, hence the detour.
    numbers = np.array(rows, np.int64).reshape(-1, 5)
    order = np.lexsort((numbers[:, 4] == 0, address))
    numbers = numbers[order] & _NUMBER_MASK
    file, line, column = numbers[:, :3].astype(np.int32).T
    return LineRows(address[order], file, line, column, numbers[:, 3] != 0, numbers[:, 4] != 0)
